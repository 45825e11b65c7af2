module github.com/nflog-exporter/nflog_exporter/test/gonflog

go 1.26.0

require (
	github.com/florianl/go-nflog/v2 v2.3.0
	github.com/google/go-cmp v0.7.0
	github.com/nflog-exporter/nflog_exporter v0.0.0
	golang.org/x/sys v0.49.0
)

require (
	github.com/google/nftables v0.3.0 // indirect
	github.com/jsimonetti/rtnetlink/v2 v2.0.2 // indirect
	github.com/mdlayher/netlink v1.11.2
	github.com/mdlayher/socket v0.6.0 // indirect
	golang.org/x/net v0.61.0 // indirect
	golang.org/x/sync v0.24.0 // indirect
)

replace github.com/nflog-exporter/nflog_exporter => ../..
