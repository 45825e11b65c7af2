// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/textproto"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/nflog-exporter/nflog_exporter/test/pipenet"
)

// TestNoMaxRequests checks that 0 is no limit.
func TestNoMaxRequests(t *testing.T) {
	o := testWebOptions()
	o.MaxRequests = 0
	if res := request(t, testHandler(t, &fakeSource{}, o), "GET", "/metrics", nil); res.Code != 200 {
		t.Errorf("unexpected status: got %d, want 200", res.Code)
	}
}

// large returns answers of that size, which take 50 ms to make. They do not fit into the buffers of a connection.
func large(size int) *answers {
	return testAnswers(func(w http.ResponseWriter, _ *http.Request) {
		time.Sleep(50 * time.Millisecond)
		for range size / maxBlock {
			w.Write(make([]byte, maxBlock))
		}
	})
}

// serve serves the handler for the test, with the limits on connections.
func serve(t *testing.T, h http.Handler) *pipenet.Listener {
	t.Helper()
	l := pipenet.Listen()
	server := &http.Server{Handler: bodiesAreClients(h), ConnState: onState, ConnContext: withConnection}
	served := make(chan error, 1)
	go func() { served <- server.Serve(limitListener(l, newConnections())) }()
	t.Cleanup(func() {
		server.Close()
		<-served
	})
	return l
}

// slowClient requests metrics, and returns when it has begun to read the response.
func slowClient(t *testing.T, l *pipenet.Listener) (rest *bufio.Reader) {
	t.Helper()
	conn, err := l.Dial()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	if _, err := io.WriteString(conn, "GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	rest = bufio.NewReaderSize(conn, 16) // so that it reads no more than the status line
	status, err := rest.ReadString('\n')
	if err != nil || status != "HTTP/1.1 200 OK\r\n" {
		t.Fatalf("unexpected start of a response: %q, %v", status, err)
	}
	return rest
}

// readRest reads the rest of a response, 4 KiB after each pause, and returns an error if it is not whole.
func readRest(r *bufio.Reader, pause time.Duration) error {
	header, err := textproto.NewReader(r).ReadMIMEHeader()
	if err != nil {
		return err
	}
	size, err := strconv.Atoi(header.Get("Content-Length"))
	for n := 0; err == nil && n < size; n += 4 << 10 {
		time.Sleep(pause)
		_, err = io.CopyN(io.Discard, r, int64(min(size-n, 4<<10)))
	}
	return err
}

// TestCrowd has a client that reads most answers, and another that has read nothing for longer. The first one makes room, be it for a
// place or for memory, unless all that it reads is the newest answer.
func TestCrowd(t *testing.T) {
	began := time.Now()
	s := newSending(large(0), 4)
	add := func(address string, size int, at time.Duration) *recipient {
		a := newAnswer()
		a.body.size = size
		r := &recipient{
			answer:  a,
			client:  netip.PrefixFrom(netip.MustParseAddr(address), 32),
			control: http.NewResponseController(httptest.NewRecorder()),
		}
		if !s.add(r, began.Add(at)) {
			t.Fatalf("no room after %v", at)
		}
		return r
	}
	alone := add("192.0.2.1", maxUnread/4, 0)
	first := add("192.0.2.2", maxUnread/4, 1*time.Second)
	second := add("192.0.2.2", maxUnread/4, 2*time.Second)
	third := add("192.0.2.2", maxUnread/4, 3*time.Second)
	add("192.0.2.3", 0, 4*time.Second)
	if !first.ended || alone.ended || second.ended || third.ended {
		t.Errorf("cut off for a place: %v, %v, %v and alone %v", first.ended, second.ended, third.ended, alone.ended)
	}
	s.most = 0
	fourth := add("192.0.2.2", maxUnread/4, 5*time.Second)
	add("192.0.2.2", maxUnread/4, 6*time.Second)
	if !second.ended || alone.ended || third.ended || fourth.ended {
		t.Errorf("cut off for memory: %v, %v, %v and alone %v", second.ended, third.ended, fourth.ended, alone.ended)
	}
}

// TestSlowClients has as many clients as are served at a time. The one that has read nothing for longest makes room for another one.
// Who reads is not cut off, unless that takes long: then the next one gets status 503.
func TestSlowClients(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newSending(large(2<<20), 2)
		l := serve(t, h)
		scrape := func(want int) *httptest.ResponseRecorder {
			t.Helper()
			res := request(t, h, "GET", "/metrics", nil)
			if res.Code != want {
				t.Errorf("unexpected status: got %d, want %d", res.Code, want)
			}
			return res
		}

		first := slowClient(t, l)
		time.Sleep(time.Second)
		second := slowClient(t, l)
		time.Sleep(time.Second)
		if got := scrape(200).Body.Len(); got != 2<<20 {
			t.Errorf("got %d bytes, want %d", got, 2<<20)
		}
		if readRest(first, 0) == nil {
			t.Error("the client that had read nothing for longest was not cut off")
		}

		third := slowClient(t, l)
		reading := make(chan error)
		for _, client := range []*bufio.Reader{second, third} {
			go func() { reading <- readRest(client, 10*time.Millisecond) }()
		}
		time.Sleep(time.Second / 10)
		if body, want := scrape(503).Body.String(), "2 clients are reading metrics already, try again later\n"; body != want {
			t.Errorf("unexpected body: got %q, want %q", body, want)
		}
		for range 2 {
			if err := <-reading; err != nil {
				t.Errorf("a client that reads was cut off: %v", err)
			}
		}
		scrape(200)
	})
}

// TestVerySlowClients has clients that read all the time, but take longer than Prometheus waits. They make room, too.
func TestVerySlowClients(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newSending(large(8<<20), 2)
		l := serve(t, h)
		reading := make(chan error)
		for range 2 {
			client := slowClient(t, l)
			go func() { reading <- readRest(client, 10*time.Millisecond) }()
		}
		time.Sleep(slow)
		if res := request(t, h, "GET", "/metrics", nil); res.Code != 200 {
			t.Errorf("unexpected status: got %d, want 200", res.Code)
		}
		if err := <-reading; err == nil {
			t.Error("no client was cut off")
		}
		if err := <-reading; err != nil {
			t.Errorf("both clients were cut off: %v", err)
		}
	})
}

// TestStalledClient has a client that stops to read. It is cut off, although nobody needs the room.
func TestStalledClient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := serve(t, newSending(large(1<<20), 40))
		rest := slowClient(t, l)
		time.Sleep(stallTimeout + time.Second)
		if readRest(rest, 0) == nil {
			t.Error("the client got all")
		}
	})
}

// TestUnread has clients that do not read large answers. The memory for them is bounded: the first clients are cut off, but not those
// of the same answer, which takes no more memory for many.
func TestUnread(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const size = maxUnread / 4
		s := newSending(large(size), 0)
		l := serve(t, s)
		unread := func() int {
			s.mu.Lock()
			defer s.mu.Unlock()
			return s.unread()
		}
		var clients []*bufio.Reader
		for range 6 {
			for range 2 {
				clients = append(clients, slowClient(t, l))
			}
			time.Sleep(time.Second)
			if got := unread(); got > maxUnread {
				t.Fatalf("%d bytes of answers are unread, want at most %d", got, maxUnread)
			}
		}
		for i, client := range clients {
			if cutOff := readRest(client, 0) != nil; cutOff != (i < 4) {
				t.Errorf("client %d: cut off: %v", i, cutOff)
			}
		}
		time.Sleep(2 * time.Second)
		if got := unread(); got != 0 {
			t.Errorf("%d bytes remain", got)
		}
	})
}

// TestGatherIsShared checks that requests wait for metrics that are being gathered, and get them.
func TestGatherIsShared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var gathered atomic.Int32
		h := testHandler(t, &fakeSource{collect: func(ch chan<- prometheus.Metric) {
			gathered.Add(1)
			time.Sleep(time.Second)
			ch <- prometheus.MustNewConstMetric(upDesc(), prometheus.GaugeValue, 1, "100")
		}}, testWebOptions())
		statuses := make(chan string)
		for range 100 {
			go func() {
				res := request(t, h, "GET", "/metrics", nil)
				statuses <- fmt.Sprint(res.Code, strings.Contains(res.Body.String(), "nflog_up"))
			}()
		}
		for range 100 {
			if got := <-statuses; got != "200 true" {
				t.Errorf("unexpected answer: %s", got)
			}
		}
		if got := gathered.Load(); got != 1 {
			t.Errorf("gathered %d times", got)
		}
	})
}
