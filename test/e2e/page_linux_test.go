// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"math"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/nflog-exporter/nflog_exporter/test/kerneltest"
	"github.com/nflog-exporter/nflog_exporter/test/nftrules"
	"github.com/nflog-exporter/nflog_exporter/test/traffic"
)

// Groups of TestIntegrationPage by what becomes of them. Another process holds the default group.
const (
	lossGroup    = 101
	limitGroup   = 102
	silentGroup  = 103
	healthyGroup = 104
	unreadGroup  = 555 // that rules log to, and nobody reads
)

// A statusPage is what the test reads of /status.json. The names are those of docs/page.md.
type statusPage struct {
	Verdict struct{ Level, Text, Cure string }

	Problems []struct {
		Code, Level, Text, Cure string
		Groups                  []struct{ Group int }
	}
	Configuration struct {
		LastReloadSuccessful bool      `json:"last_reload_successful"`
		LastReloadSuccess    time.Time `json:"last_reload_success"`
		LastReloadError      string    `json:"last_reload_error"`
	}
	Totals struct {
		Groups     int
		GroupsRead int `json:"groups_read"`
	}
	Groups []groupPage

	Prefixes []struct {
		Group   int
		Prefix  string
		Packets float64
	}

	Rulesets []struct {
		Rules []struct {
			Group                int
			Prefix, Table, Chain string
			Unread               bool
		}
	}
}

type groupPage struct {
	Group                                     int
	State, Level, Words                       string
	Since                                     time.Time
	LastPacket                                *time.Time `json:"last_packet"`
	Packets, Lost, Forgotten, Overflow, Binds float64
	Datagrams                                 float64
	SocketDrops                               float64 `json:"socket_drops"`
	SocketBuffer                              float64 `json:"socket_buffer_bytes"`
	SocketQueued                              float64 `json:"socket_queued_bytes"`
	LabelSets                                 float64 `json:"label_sets"`
	LabelSetsLimit                            float64 `json:"label_sets_limit"`
}

// TestIntegrationPage has one exporter in all states that the page distinguishes: a group that is held, one that loses packets, one
// at its limit of label sets, one without any packet, rules that nobody reads, and a configuration file that is refused. Page, JSON,
// readiness and metrics must tell the same facts.
func TestIntegrationPage(t *testing.T) {
	ns := kerneltest.NS(t)
	rs := nftrules.New(ns)
	output := rs.Chain(nftrules.Chain{Hook: nftrules.Output})
	output.Log(lossGroup, "flood", nftrules.UDPPort(floodPort), nftrules.Drop())
	for i := range 15 {
		output.Log(limitGroup, fmt.Sprintf("scan %d", i), nftrules.UDPPort(scanPort))
	}
	output.Log(healthyGroup, `<i>"well" & fine`, nftrules.UDPPort(discard), nftrules.Drop())
	output.Log(unreadGroup, "audit", nftrules.UDPPort(scanPort))
	must(t, rs.Apply())
	_, release := holdByLibrary(t, ns)

	config := fmt.Sprintf("groups: [{group: %d}, {group: %d, socket_buffer: 128KiB}, {group: %d}, {group: %d}, {group: %d}]\n",
		group, lossGroup, limitGroup, silentGroup, healthyGroup)
	file := newConfigFile(t, config)
	e := start(t, ns, "--config.file="+file.path, "--nflog.queue-timeout=10ms", "--collector.max-label-sets=10")

	e.signal(t, syscall.SIGSTOP)
	sent, err := traffic.Flood(t.Context(), ns, netip.AddrPortFrom(loopback4, floodPort), 200_000, 10, 0)
	must(t, err)
	e.signal(t, syscall.SIGCONT)
	for _, port := range []uint16{scanPort, discard} {
		must(t, traffic.UDP(ns, netip.AddrPortFrom(loopback4, port), 3, 10))
	}
	e.eventually(t, bookTimeout, func(s scrape) error {
		// The next packet shows the loss.
		must(t, traffic.UDP(ns, netip.AddrPortFrom(loopback4, floodPort), 1, 10))
		sent++
		if n := s.value("nflog_lost_packets_total", "group", strconv.Itoa(lossGroup)); n == 0 {
			return errors.New("no packet is lost")
		}
		return nil
	})
	file.write(t, config+"nonsense: true\n")
	e.hangup(t, "can't be used")
	s := e.eventually(t, bookTimeout, func(s scrape) error {
		lost, packets := s.value("nflog_lost_packets_total", "group", strconv.Itoa(lossGroup)), s.sumBy("nflog_packets_total", "group")
		return errors.Join(
			equal("packets of the flood", float64(packets[strconv.Itoa(lossGroup)])+lost, float64(sent)),
			equal("packets of the scan", float64(packets[strconv.Itoa(limitGroup)]), 45),
			equal("other packets", float64(packets[strconv.Itoa(healthyGroup)]), 3),
		)
	})

	var page statusPage
	body, contentType, err := e.get(t.Context(), "/", "application/json")
	must(t, err)
	if contentType != "application/json" {
		t.Errorf("the content type is %q", contentType)
	}
	must(t, json.Unmarshal(body, &page))
	text, _, err := e.get(t.Context(), "/", "text/html,*/*;q=0.8")
	must(t, err)
	ready, err := e.ready(t.Context())
	must(t, err)

	checkWords(t, &page, string(text))
	cards := cardsOf(string(text))
	if len(page.Groups) != 5 || len(cards) != 5 {
		t.Fatalf("%d groups in the JSON, %d on the page, want 5", len(page.Groups), len(cards))
	}
	for _, g := range page.Groups {
		t.Run(strconv.Itoa(g.Group), func(t *testing.T) {
			checkMetrics(t, &g, s)
			checkCard(t, &g, cards[g.Group])
			checkLine(t, &g, ready)
		})
	}
	byPrefix := make(map[string]float64)
	byGroup := make(map[string]uint64)
	for _, m := range s["nflog_prefix_packets_total"].GetMetric() {
		l := labelMap(m)
		if n := m.GetCounter().GetValue(); n > 0 { // else there is a rule, and no packet yet
			byPrefix[l["group"]+" "+l["prefix"]] = n
			byGroup[l["group"]] += uint64(n)
		}
	}
	for group, n := range s.sumBy("nflog_packets_total", "group") {
		if forgotten := s.value("nflog_forgotten_packets_total", "group", group); n+uint64(forgotten) != byGroup[group] {
			t.Errorf("group %s has %d packets by prefix, and %v and %v forgotten by label set", group, byGroup[group], n, forgotten)
		}
	}
	got := make(map[string]float64)
	for _, p := range page.Prefixes {
		got[fmt.Sprint(p.Group, " ", p.Prefix)] = p.Packets
		shown := cmp.Or(html.EscapeString(p.Prefix), "no prefix")
		if !strings.Contains(string(text), shown) {
			t.Errorf("the page has no prefix %s", shown)
		}
	}
	if diff := gocmp.Diff(byPrefix, got); diff != "" {
		t.Errorf("packets by prefix differ between metrics and JSON (-metrics +JSON):\n%s", diff)
	}

	checkRules(t, &page, s)
	if !strings.Contains(string(text), "Rules that nobody reads") {
		t.Error("the page does not show that nobody reads a rule")
	}
	reloaded := page.Configuration
	must(t, s.expectOwn(0, "nflog_exporter_config_last_reload_successful"))
	if reloaded.LastReloadSuccessful || !strings.Contains(reloaded.LastReloadError, "nonsense") {
		t.Errorf("unexpected configuration: %+v", reloaded)
	}
	if got, want := seconds(reloaded.LastReloadSuccess), s.ownValue("nflog_exporter_config_last_reload_success_timestamp_seconds"); math.Abs(got-want) > 0.001 {
		t.Errorf("last applied at %v, want %v", got, want)
	}

	// What is mended is gone.
	release()
	file.write(t, config)
	e.hangup(t, applied)
	kerneltest.Eventually(t, bookTimeout, func() error {
		body, _, err := e.get(t.Context(), "/status.json", "")
		must(t, err)
		var page statusPage
		must(t, json.Unmarshal(body, &page))
		var codes []string
		for _, p := range page.Problems {
			codes = append(codes, p.Code)
		}
		if want := []string{"lost", "label_set_limit", "rules_unread", "no_rule"}; !gocmp.Equal(codes, want) {
			return fmt.Errorf("problems %v, want %v", codes, want)
		}
		return nil
	})
}

// checkRules compares the rules that log with the metrics.
func checkRules(t *testing.T, page *statusPage, s scrape) {
	t.Helper()
	rules, unread := make(map[string]float64), make(map[string]float64)
	for _, ruleset := range page.Rulesets {
		for _, r := range ruleset.Rules {
			group := strconv.Itoa(r.Group)
			rules[group+" "+r.Prefix+" "+r.Table+" "+r.Chain]++
			if r.Unread {
				unread[group]++
			}
		}
	}
	byLabels := make(map[string]float64)
	for _, m := range s["nflog_rules"].GetMetric() {
		l := labelMap(m)
		byLabels[l["group"]+" "+l["prefix"]+" "+l["table"]+" "+l["chain"]] += m.GetGauge().GetValue()
	}
	if diff := gocmp.Diff(byLabels, rules); diff != "" || len(rules) != 18 {
		t.Errorf("%d rules differ between metrics and JSON (-metrics +JSON):\n%s", len(rules), diff)
	}
	for _, m := range s["nflog_rules_unread"].GetMetric() {
		if group := labelMap(m)["group"]; m.GetGauge().GetValue() != unread[group] {
			t.Errorf("group %s: %v rules unread, the JSON has %v", group, m.GetGauge().GetValue(), unread[group])
		}
	}
	if unread[strconv.Itoa(unreadGroup)] != 1 {
		t.Errorf("rules that nobody reads: %v", unread)
	}
}

func equal(what string, got, want float64) error {
	if got != want {
		return fmt.Errorf("%s: got %v, want %v", what, got, want)
	}
	return nil
}

func seconds(t time.Time) float64 { return float64(t.UnixNano()) / 1e9 }

// checkWords checks the verdict and the other problems, in the JSON and on the page.
func checkWords(t *testing.T, page *statusPage, text string) {
	t.Helper()
	want := []struct {
		code, level string
		group       int
		text        string
	}{
		{"not_read", "bad", group, "Group 100 is not read: "},
		{"lost", "bad", lossGroup, fmt.Sprintf("Group %d lost ", lossGroup)},
		{"configuration_refused", "warning", 0, "The configuration file was refused "},
		{"label_set_limit", "warning", limitGroup, fmt.Sprintf("Group %d has reached the limit of 10 label sets: ", limitGroup)},
		{"rules_unread", "warning", unreadGroup, fmt.Sprintf("1 rule logs to group %d, which nobody reads.", unreadGroup)},
		{"no_rule", "warning", silentGroup, fmt.Sprintf("No rule of nf_tables logs to group %d, and no packet has come.", silentGroup)},
	}
	// Which words mark a flag on the page.
	plain := regexp.MustCompile(`</?code[^>]*>`).ReplaceAllString(text, "")
	// Seconds may have passed between the two.
	shown := func(s string) string { return regexp.MustCompile(` \d+ s ago.*| just now.*`).ReplaceAllString(s, "") }
	if len(page.Problems) != len(want) {
		t.Fatalf("%d problems, want %d: %+v", len(page.Problems), len(want), page.Problems)
	}
	for i, w := range want {
		p := page.Problems[i]
		if p.Code != w.code || p.Level != w.level || !strings.HasPrefix(p.Text, w.text) || p.Cure == "" {
			t.Errorf("unexpected problem %+v, want %+v", p, w)
		}
		if w.group != 0 && (len(p.Groups) != 1 || p.Groups[0].Group != w.group) {
			t.Errorf("%s is of groups %v, want %d", p.Code, p.Groups, w.group)
		}
		if !strings.Contains(plain, html.EscapeString(shown(p.Text))) {
			t.Errorf("the page has no %q", p.Text)
		}
	}
	if v := page.Verdict; v.Level != "bad" || v.Text != page.Problems[0].Text || v.Cure != page.Problems[0].Cure {
		t.Errorf("unexpected verdict %+v", v)
	}
	if !strings.Contains(text, "<h1>Group 100 is not read: ") || !strings.Contains(text, "1 of 5 groups is fine") {
		t.Errorf("unexpected verdict on the page:\n%s", text)
	}
	if page.Totals.Groups != 5 {
		t.Errorf("%d groups in total", page.Totals.Groups)
	}
	if address := regexp.MustCompile(`\b\d+\.\d+\.\d+\.\d+\b`).FindString(text); address != "" {
		t.Errorf("the page shows the address %s", address)
	}
}

// checkMetrics compares what the JSON says of a group with the metrics.
func checkMetrics(t *testing.T, g *groupPage, s scrape) {
	t.Helper()
	number := strconv.Itoa(g.Group)
	value := func(name string) float64 { return s.value(name, "group", number) }
	up, since, last := 0.0, math.NaN(), math.NaN()
	if g.State == "bound" {
		up, since = 1, math.Round(seconds(g.Since)*1000)/1000
	}
	if g.LastPacket != nil {
		last = math.Round(seconds(*g.LastPacket)*1000) / 1000
	}
	for _, at := range []struct {
		what, metric string
		got          float64
	}{{"last packet", "nflog_last_packet_timestamp_seconds", last}, {"since", "nflog_bound_timestamp_seconds", since}} {
		if want := value(at.metric); at.got != want && !(math.IsNaN(at.got) && math.IsNaN(want)) {
			t.Errorf("%s: got %v, want %v", at.what, at.got, want)
		}
	}
	if err := errors.Join(
		equal("up", up, value("nflog_up")),
		equal("packets", g.Packets, float64(s.sumBy("nflog_packets_total", "group")[number])+value("nflog_forgotten_packets_total")),
		equal("lost", g.Lost, value("nflog_lost_packets_total")),
		equal("forgotten", g.Forgotten, value("nflog_forgotten_packets_total")),
		equal("overflow", g.Overflow, value("nflog_overflow_packets_total")),
		equal("drops", g.SocketDrops, value("nflog_socket_drops_total")),
		equal("binds", g.Binds, value("nflog_binds_total")),
		equal("datagrams", g.Datagrams, value("nflog_datagrams_total")),
		equal("buffer", g.SocketBuffer, value("nflog_socket_buffer_bytes")),
		equal("queued", g.SocketQueued, value("nflog_socket_queued_bytes")),
		equal("label sets", g.LabelSets, value("nflog_label_sets")),
		equal("limit", g.LabelSetsLimit, value("nflog_label_sets_limit")),
	); err != nil {
		t.Error(err)
	}
}

// A card is what the page says of a group.
type card struct {
	level, state string
	facts        map[string]string
}

func cardsOf(text string) map[int]card {
	cards := make(map[int]card)
	article := regexp.MustCompile(`(?s)<article class="card (\w+)">\s*<div class="head"><h3>Group (\d+)</h3><span class="state">([^<]*)</span>(.*?)</article>`)
	fact := regexp.MustCompile(`<dt>([^<]*)</dt><dd[^>]*>(?:<time[^>]*>)?([^<]*)`)
	for _, m := range article.FindAllStringSubmatch(text, -1) {
		c := card{m[1], m[3], make(map[string]string)}
		for _, f := range fact.FindAllStringSubmatch(m[4], -1) {
			c.facts[f[1]] = f[2]
		}
		number, _ := strconv.Atoi(m[2])
		cards[number] = c
	}
	return cards
}

// checkCard compares what the page says of a group with the JSON.
func checkCard(t *testing.T, g *groupPage, c card) {
	t.Helper()
	if c.level != g.Level || c.state != g.Words {
		t.Errorf("the page says %s, %q, the JSON %s, %q", c.level, c.state, g.Level, g.Words)
	}
	for name, want := range map[string]float64{
		"packets": g.Packets, "lost": g.Lost, "socket dropped": g.SocketDrops, "label sets": g.LabelSets,
	} {
		if got := strings.ReplaceAll(c.facts[name], ",", ""); got != strconv.FormatFloat(want, 'f', 0, 64) {
			t.Errorf("%s: the page says %q, the JSON %v", name, c.facts[name], want)
		}
	}
	if got := c.facts["over the limit"]; (got != "") != (g.Overflow > 0) {
		t.Errorf("over the limit: the page says %q, the JSON %v", got, g.Overflow)
	}
	if none := c.facts["last packet"] == "none yet"; none != (g.LastPacket == nil) {
		t.Errorf("last packet: the page says %q, the JSON %v", c.facts["last packet"], g.LastPacket)
	}
}

// checkLine compares the line of a group in the answer of /-/ready with the JSON.
func checkLine(t *testing.T, g *groupPage, ready string) {
	t.Helper()
	_, line, found := strings.Cut("\n"+ready, fmt.Sprintf("\ngroup %d: ", g.Group))
	line, _, _ = strings.Cut(line, "\n")
	if !found || strings.HasPrefix(line, "bound since ") != (g.State == "bound") {
		t.Errorf("the line is %q, the state %s", line, g.State)
	}
	if said := strings.HasSuffix(line, ", no packet yet"); said != (g.State == "bound" && g.Packets == 0) {
		t.Errorf("the line is %q, with %v packets", line, g.Packets)
	}
	_, lost, _ := strings.Cut(line, ", lost ")
	lost = strings.ReplaceAll(strings.TrimSuffix(lost, " packets"), ",", "")
	if cmp.Or(lost, "0") != strconv.FormatFloat(g.Lost, 'f', 0, 64) {
		t.Errorf("the line is %q, with %v lost", line, g.Lost)
	}
}

// TestIntegrationPageMany reads many groups, of which another process holds one, and then none. All are in the metrics and the JSON, and in
// the words of the page.
func TestIntegrationPageMany(t *testing.T) {
	for _, groups := range []int{20, 300} {
		t.Run(strconv.Itoa(groups), func(t *testing.T) {
			t.Parallel()
			ns := kerneltest.NS(t)
			var args []string
			rules := "table ip t { chain output { type filter hook output priority 0; "
			for i := range groups {
				args = append(args, fmt.Sprintf("--nflog.group=%d", group+i))
				rules += fmt.Sprintf("udp dport %d log group %d; ", discard, group+i)
			}
			file := filepath.Join(t.TempDir(), "rules.nft")
			must(t, os.WriteFile(file, []byte(rules+"}; }\n"), 0o600))
			runIn(t, ns, "nft", "-f", file)
			_, release := holdByLibrary(t, ns)
			e := start(t, ns, append(args, "--nflog.queue-timeout=10ms")...)
			check := func(read int, verdict, words string) {
				t.Helper()
				kerneltest.Eventually(t, bookTimeout, func() error {
					must(t, traffic.UDP(ns, netip.AddrPortFrom(loopback4, discard), 1, 10))
					s, err := e.scrape(t.Context())
					must(t, err)
					body, _, err := e.get(t.Context(), "/status.json", "")
					must(t, err)
					var page statusPage
					must(t, json.Unmarshal(body, &page))
					text, _, err := e.get(t.Context(), "/", "text/html")
					must(t, err)
					up := 0.0
					for _, m := range s["nflog_up"].GetMetric() {
						up += m.GetGauge().GetValue()
					}
					if !strings.HasPrefix(page.Verdict.Text, verdict) || !strings.Contains(string(text), verdict) || !strings.Contains(string(text), words) {
						return fmt.Errorf("the verdict is %q, want %q, with %q on the page", page.Verdict.Text, verdict, words)
					}
					return errors.Join(
						equal("groups", float64(len(page.Groups)), float64(groups)),
						equal("groups in total", float64(page.Totals.Groups), float64(groups)),
						equal("groups read by the JSON", float64(page.Totals.GroupsRead), float64(read)),
						equal("groups read by the metrics", up, float64(read)),
					)
				})
			}
			check(groups-1, "Group 100 is not read: ", fmt.Sprintf("%d of %d groups are fine", groups-1, groups))
			release()
			check(groups, fmt.Sprintf("All is well: %d groups are read, ", groups), fmt.Sprintf("All %d groups are fine", groups))
		})
	}
}
