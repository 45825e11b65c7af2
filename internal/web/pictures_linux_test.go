// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"fmt"
	"html"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/nflog-exporter/nflog_exporter/test/kerneltest"
)

// TestPictures has a browser draw the page in all its states, for a phone, a desk and a wall, light and dark. Nothing may be wider
// than the window. The pictures are in the folder that NFLOG_PICTURES names, to be looked at. Without one, it is the phone alone, which
// has least room, light.
func TestPictures(t *testing.T) {
	if testing.Short() || kerneltest.RaceEnabled() {
		t.Skip("takes a minute")
	}
	chromium := kerneltest.Require(t, "chromium")
	widths, schemes := []int{360, 1440, 2560}, map[string]string{"light": "rgb(246, 246, 243)", "dark": "rgb(19, 23, 26)"}
	folder := os.Getenv("NFLOG_PICTURES")
	if folder == "" {
		folder, widths = t.TempDir(), widths[:1]
		delete(schemes, "dark")
	}
	scratch := t.TempDir()
	for _, state := range pageStates(time.Now()) {
		body := request(t, stateHandler(t, state), "GET", "/", nil).Body.String()
		// What the browser says of itself, where no policy forbids scripts.
		body = strings.Replace(body, "</body>", `<script>
			const root = document.documentElement
			parent.document.documentElement.dataset.drawn = innerWidth + " " + root.scrollWidth + " " + getComputedStyle(document.body).backgroundColor
			</script></body>`, 1)
		for _, width := range widths {
			for scheme, background := range schemes {
				name := fmt.Sprintf("%s-%d-%s", state.name, width, scheme)
				t.Run(name, func(t *testing.T) {
					picture := filepath.Join(folder, name+".png")
					d := draw(t, chromium, scratch, body, picture, width, scheme)
					if d.width != width || d.content > width {
						t.Errorf("the window is %d wide, and the page %d, want %d", d.width, d.content, width)
					}
					if d.background != background {
						t.Errorf("the background is %s, want %s", d.background, background)
					}
					f, err := os.Open(picture)
					if err != nil {
						t.Fatal(err)
					}
					defer f.Close()
					if _, err := png.Decode(f); err != nil {
						t.Error(err)
					}
				})
			}
		}
	}
}

// A drawn page is what the browser says of it.
type drawn struct {
	width, content int
	background     string
}

func draw(t *testing.T, chromium, scratch, body, picture string, width int, scheme string) drawn {
	t.Helper()
	// In a frame, since no window is as narrow as a phone.
	height := map[int]int{360: 2400, 1440: 1500, 2560: 1440}[width]
	preferred := map[string]string{"dark": "0", "light": "1"}[scheme]
	file := filepath.Join(scratch, "page.html")
	frame := fmt.Sprintf(`<!doctype html><style>:root{color-scheme:light dark}body{margin:0}iframe{border:0;display:block}</style>`+
		`<iframe width=%d height=%d srcdoc="%s"></iframe>`, width, height, html.EscapeString(body))
	if err := os.WriteFile(file, []byte(frame), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), chromium, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
		"--disable-background-networking", "--disable-component-update", "--disable-sync", "--hide-scrollbars",
		"--blink-settings=preferredColorScheme="+preferred, "--user-data-dir="+filepath.Join(scratch, "profile"),
		fmt.Sprintf("--window-size=%d,%d", width, height), "--screenshot="+picture, "--dump-dom", "file://"+file)
	cmd.Env = append(os.Environ(), "HOME="+scratch, "TMPDIR="+scratch, "TZ=UTC")
	var stderr strings.Builder
	cmd.Stderr = &stderr
	dom, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %s", err, stderr.String())
	}
	m := regexp.MustCompile(`data-drawn="(\d+) (\d+) ([^"]*)"`).FindSubmatch(dom)
	if m == nil {
		t.Fatalf("the browser has not drawn the page:\n%s", stderr.String())
	}
	number := func(b []byte) int {
		n, _ := strconv.Atoi(string(b))
		return n
	}
	return drawn{number(m[1]), number(m[2]), string(m[3])}
}
