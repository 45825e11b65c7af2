// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net/netip"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/nflog-exporter/nflog_exporter/test/kerneltest"
)

// An access is to an exporter that serves over TLS, to those who have a password.
type access struct {
	certificate string // path of the exporter's, which signs itself
	config      string // path of its --web.config.file
	user        *url.Userinfo
	roots       *x509.CertPool
}

// newAccess returns an access to an exporter that is reached by these addresses.
func newAccess(t *testing.T, addresses ...netip.Addr) *access {
	t.Helper()
	dir := t.TempDir()
	a := &access{
		certificate: filepath.Join(dir, "exporter.crt"),
		config:      filepath.Join(dir, "web.yml"),
		user:        url.UserPassword("prometheus", "secret"),
		roots:       x509.NewCertPool(),
	}
	names := ""
	for _, address := range addresses {
		names += ",IP:" + address.String()
	}
	out, err := exec.Command(kerneltest.Require(t, "openssl"), "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
		"-nodes", "-keyout", filepath.Join(dir, "exporter.key"), "-out", a.certificate, "-days", "1", "-subj", "/CN=nflog_exporter",
		"-addext", "subjectAltName="+names[1:]).CombinedOutput()
	if err != nil {
		t.Fatalf("failed to make a certificate: %v: %s", err, out)
	}
	config := "tls_server_config: {cert_file: exporter.crt, key_file: exporter.key}\n" +
		"basic_auth_users: {prometheus: $2a$04$3DPgUKkm.rMIO9gxeUyTuuURTbh3QeQtq8KAPzC5L/hrqG4.1aeBe}\n"
	pem, err := os.ReadFile(a.certificate)
	must(t, err, os.WriteFile(a.config, []byte(config), 0o600))
	if !a.roots.AppendCertsFromPEM(pem) {
		must(t, errors.New("openssl made no certificate"))
	}
	return a
}

// tls returns what a client needs to know.
func (a *access) tls() *tls.Config {
	if a == nil {
		return nil
	}
	return &tls.Config{RootCAs: a.roots, MinVersion: tls.VersionTLS12}
}

// url returns the URL of a path, with the password.
func (a *access) url(address, path string) string {
	if a == nil {
		return "http://" + address + path
	}
	return "https://" + a.user.String() + "@" + address + path
}
