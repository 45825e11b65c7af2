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

// credentials are what an exporter with TLS and a password needs, and its clients. Nil credentials stand for an
// exporter with neither.
type credentials struct {
	certificate string // path of the exporter's self-signed certificate
	config      string // path for --web.config.file
	user        *url.Userinfo
	roots       *x509.CertPool
}

// newCredentials makes a certificate for the addresses, and a web configuration file.
func newCredentials(t *testing.T, addresses ...netip.Addr) *credentials {
	t.Helper()
	dir := t.TempDir()
	c := &credentials{
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
		"-nodes", "-keyout", filepath.Join(dir, "exporter.key"), "-out", c.certificate, "-days", "1", "-subj", "/CN=nflog_exporter",
		"-addext", "subjectAltName="+names[1:]).CombinedOutput()
	if err != nil {
		t.Fatalf("failed to make a certificate: %v: %s", err, out)
	}
	config := "tls_server_config: {cert_file: exporter.crt, key_file: exporter.key}\n" +
		"basic_auth_users: {prometheus: $2a$04$3DPgUKkm.rMIO9gxeUyTuuURTbh3QeQtq8KAPzC5L/hrqG4.1aeBe}\n"
	pem, err := os.ReadFile(c.certificate)
	must(t, err, os.WriteFile(c.config, []byte(config), 0o600))
	if !c.roots.AppendCertsFromPEM(pem) {
		must(t, errors.New("openssl made no certificate"))
	}
	return c
}

// tls returns the TLS configuration of a client.
func (c *credentials) tls() *tls.Config {
	if c == nil {
		return nil
	}
	return &tls.Config{RootCAs: c.roots, MinVersion: tls.VersionTLS12}
}

// url returns the URL of a path, with the password.
func (c *credentials) url(address, path string) string {
	if c == nil {
		return "http://" + address + path
	}
	return "https://" + c.user.String() + "@" + address + path
}
