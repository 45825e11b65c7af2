// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"net/netip"
	"sync"
	"time"
)

const (
	// maxUnread bounds the memory of answers that clients have not read yet. Four answers may be larger.
	maxUnread     = 16 << 20
	unreadAnswers = 4

	// stallTimeout is how long a client may take to read the next block of an answer, answerTimeout to read all of it.
	stallTimeout  = 10 * time.Second
	answerTimeout = time.Minute

	// A client makes room for others if it has read nothing for stalled, or if it has not read the whole answer after slow: as
	// long as Prometheus waits by default.
	stalled = 400 * time.Millisecond
	slow    = 10 * time.Second

	// roomTimeout is how long a request waits for others to make room, and roomInterval how often the first that waits looks.
	roomTimeout  = 3 * time.Second
	roomInterval = 5 * time.Millisecond
)

// sending serves answers to at most this number of clients at a time, or to any number for 0. Where that, or maxUnread, is not
// enough, it cuts off the client that has read nothing for longest, and not the next one that asks.
type sending struct {
	answers *answers
	most    int
	next    chan struct{} // has room for the request that is admitted next; the others wait in the order in which they came

	mu  sync.Mutex // guards what follows
	all map[*recipient]struct{}
}

func newSending(a *answers, most int) *sending {
	return &sending{answers: a, most: most, next: make(chan struct{}, 1), all: make(map[*recipient]struct{})}
}

// ServeHTTP implements http.Handler. It serves metrics.
func (s *sending) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	a := s.answers.get(req)
	if a == nil {
		http.Error(w, "too many requests by name[], try again later", http.StatusServiceUnavailable)
		return
	}
	s.serve(w, req, a)
}

// serve sends an answer.
func (s *sending) serve(w http.ResponseWriter, req *http.Request, a *answer) {
	r := &recipient{answer: a, writer: w, control: http.NewResponseController(w)}
	conn, ok := req.Context().Value(connectionKey{}).(*connection)
	if ok {
		r.client = conn.client
	}
	if !s.admit(req.Context(), r) {
		http.Error(w, fmt.Sprintf("%d clients are reading metrics already, try again later", s.most), http.StatusServiceUnavailable)
		return
	}
	defer s.remove(r)
	if ok {
		conn.onReading()
	}
	r.send()
}

// admit adds a recipient, as soon as there is room. It reports whether there is.
func (s *sending) admit(ctx context.Context, r *recipient) bool {
	ctx, cancel := context.WithTimeout(ctx, roomTimeout)
	defer cancel()
	select {
	case s.next <- struct{}{}:
		defer func() { <-s.next }()
	case <-ctx.Done():
		return false
	}
	for !s.add(r, time.Now()) {
		select {
		case <-ctx.Done():
			return false
		case <-time.After(roomInterval):
		}
	}
	return true
}

// add adds a recipient if there is room, or someone to make room.
func (s *sending) add(r *recipient, now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.most > 0 && len(s.all) >= s.most {
		slowest := s.slowest(nil)
		if slowest == nil || now.Sub(slowest.lastRead()) < stalled {
			slowest = s.oldest()
			if now.Sub(slowest.began) < slow {
				return false
			}
		}
		s.cutOff(slowest)
	}
	r.began = now
	r.read.Store(now.UnixNano())
	s.all[r] = struct{}{}
	s.limitUnread(r.answer)
	return true
}

// limitUnread cuts off clients until the answers fit into maxUnread, but none that reads this one. The caller holds mu.
func (s *sending) limitUnread(newest *answer) {
	most := max(maxUnread, unreadAnswers*newest.body.size)
	if s.unread() <= most {
		return
	}
	s.answers.forgetOthers(newest)
	for s.unread() > most {
		slowest := s.slowest(newest)
		if slowest == nil {
			return
		}
		s.cutOff(slowest)
	}
}

// unread returns the memory of all answers. The caller holds mu.
func (s *sending) unread() (size int) {
	sizes := make(map[*answer]int)
	s.answers.sizes(sizes)
	for r := range s.all {
		sizes[r.answer] = r.answer.body.size
	}
	for n := range maps.Values(sizes) {
		size += n
	}
	return size
}

// slowest returns the recipient that has read nothing for longest, of those of other answers than this one. As with connections, a
// client that has most of all makes room with its own: on a busy machine, others may stop reading as well. The caller holds mu.
func (s *sending) slowest(but *answer) *recipient {
	if crowd := s.crowd(); crowd.IsValid() {
		if slowest := s.slowestOf(crowd, but); slowest != nil {
			return slowest
		}
	}
	return s.slowestOf(netip.Prefix{}, but)
}

// slowestOf is slowest among the recipients of one client, or of all for the zero client.
func (s *sending) slowestOf(client netip.Prefix, but *answer) (slowest *recipient) {
	for r := range s.all {
		if client.IsValid() && r.client != client || r.answer == but {
			continue
		}
		if slowest == nil || r.lastRead().Before(slowest.lastRead()) {
			slowest = r
		}
	}
	return slowest
}

// crowd returns the client that has more than half of the recipients, or the zero value. The caller holds mu.
func (s *sending) crowd() netip.Prefix {
	of := make(map[netip.Prefix]int)
	for r := range s.all {
		of[r.client]++
		if of[r.client] > len(s.all)/2 {
			return r.client
		}
	}
	return netip.Prefix{}
}

// oldest returns the recipient that began first. The caller holds mu.
func (s *sending) oldest() (oldest *recipient) {
	for r := range s.all {
		if oldest == nil || r.began.Before(oldest.began) {
			oldest = r
		}
	}
	return oldest
}

// cutOff ends the sending to a recipient. The caller holds mu.
func (s *sending) cutOff(r *recipient) {
	delete(s.all, r)
	r.cutOff()
}

func (s *sending) remove(r *recipient) {
	r.end()
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.all, r)
}
