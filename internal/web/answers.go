// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"compress/gzip"
	"errors"
	"net/http"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/prometheus/common/expfmt"

	"github.com/nflog-exporter/nflog_exporter/internal/exposition"
)

const (
	// maxShared is how long an answer is given to further requests at most, from when its metrics were gathered.
	maxShared = time.Second

	// sharedPerCost is how long it is given to them in proportion to the time that it took to make. So answers of one form take
	// at most a tenth of a core, and a small one is as good as new.
	sharedPerCost = 10

	// maxFiltered bounds how many requests wait for an answer that nobody shares, since they choose metrics by name.
	maxFiltered = 4
)

// An answer is the response to a scrape, in memory. Requests of the same form share it.
type answer struct {
	made chan struct{} // closed when what follows is complete

	status int
	header http.Header
	body   blocks

	until time.Time // when it is no longer shared, zero while it is made; guarded by answers.mu
}

// newAnswer returns an answer that is not made yet. If it can't be made, it remains an error.
func newAnswer() *answer {
	return &answer{made: make(chan struct{}), status: http.StatusInternalServerError, header: make(http.Header)}
}

// answers makes answers to scrapes, and to views of the page, one at a time: each is in memory as a whole, so that a slow client
// does not keep the others from gathering metrics.
type answers struct {
	pieces   piecesFunc    // nil to make all answers by handler
	gzip     *gzip.Writer  // for the answer that is made
	handler  http.Handler  // of metrics, in the forms that pieces are not for
	empty    http.Handler  // the same for no metrics: it tells the form of a request
	making   chan struct{} // has room for one
	filtered chan struct{} // has room for maxFiltered

	negotiating sync.Mutex

	mu     sync.Mutex // guards what follows, and answer.until
	shared map[form]*answer
}

// A piecesFunc gathers metrics in pieces. They are valid until done is called.
type piecesFunc func() (pieces exposition.Pieces, done func(), err error)

// A form is all that answers to scrapes and to views of the page depend on. There are some fifty.
type form struct {
	page                  bool
	contentType, encoding string
}

// newAnswersOf returns answers with the metrics of a source, and those of own.
func newAnswersOf(s Source, own prometheus.Gatherer, opts promhttp.HandlerOpts) *answers {
	a := newAnswers(prometheus.NewMultiTRegistry(prometheus.ToTransactionalGatherer(own), s), opts)
	a.pieces = func() (exposition.Pieces, func(), error) {
		families, err := own.Gather()
		if err != nil {
			return nil, nil, err
		}
		pieces, done, err := s.GatherPieces()
		return exposition.Merge(families, pieces), done, err
	}
	return a
}

func newAnswers(gatherer prometheus.TransactionalGatherer, opts promhttp.HandlerOpts) *answers {
	a := &answers{
		gzip:     gzip.NewWriter(nil),
		handler:  promhttp.HandlerForTransactional(gatherer, opts),
		making:   make(chan struct{}, 1),
		filtered: make(chan struct{}, maxFiltered),
		shared:   make(map[form]*answer),
	}
	opts.Registry, opts.ErrorLog = nil, nil
	a.empty = promhttp.HandlerForTransactional(prometheus.NewMultiTRegistry(), opts)
	return a
}

// get returns the answer to a request, or nil if too many wait for answers of their own.
func (a *answers) get(req *http.Request) *answer {
	f, header := a.form(req)
	req = req.Clone(req.Context())
	req.Header.Set("Accept-Encoding", f.encoding)
	if req.URL.Query().Has("name[]") {
		select {
		case a.filtered <- struct{}{}:
			defer func() { <-a.filtered }()
		default:
			return nil
		}
		res := newAnswer()
		a.make(res, func() { a.handle(res, a.handler, req) })
		return res
	}
	return a.share(f, func(res *answer) {
		if !a.write(res, f, header) {
			a.handle(res, a.handler, req)
		}
	})
}

// share returns the answer in a form: the one that others got just now, or a new one that a function makes.
func (a *answers) share(f form, fn func(*answer)) *answer {
	a.mu.Lock()
	res, found := a.shared[f]
	if !found || !res.until.IsZero() && time.Now().After(res.until) {
		found = false
		res = newAnswer()
		a.shared[f] = res
	}
	a.mu.Unlock()
	if found {
		<-res.made
		return res
	}
	defer a.expire(f, res)
	a.make(res, func() { fn(res) })
	return res
}

// form returns the form of the answer to a request, and its header, as promhttp negotiates them.
func (a *answers) form(req *http.Request) (form, http.Header) {
	// One at a time, since a compressor takes 800 kB.
	a.negotiating.Lock()
	defer a.negotiating.Unlock()
	res := response{answer: newAnswer()}
	a.empty.ServeHTTP(&res, &http.Request{Header: req.Header})
	f := form{contentType: res.header.Get("Content-Type"), encoding: res.header.Get("Content-Encoding")}
	if f.encoding == "" {
		f.encoding = string(promhttp.Identity)
	}
	return f, res.header
}

// make makes an answer by a function. Who waits for it gets an error if the function panics.
func (a *answers) make(res *answer, fn func()) {
	a.making <- struct{}{}
	defer func() { <-a.making }()
	began := time.Now()
	defer func() {
		a.mu.Lock()
		res.until = began.Add(min(sharedPerCost*time.Since(began), maxShared))
		a.mu.Unlock()
		close(res.made)
	}()
	fn()
}

// handle makes an answer by a handler.
func (a *answers) handle(res *answer, h http.Handler, req *http.Request) {
	r := response{answer: res}
	h.ServeHTTP(&r, req)
	r.WriteHeader(http.StatusOK)
}

// write makes an answer without all metrics in memory at a time. It reports whether it could.
func (a *answers) write(res *answer, f form, header http.Header) bool {
	format, compress := expfmt.Format(f.contentType), f.encoding == string(promhttp.Gzip)
	if a.pieces == nil || !exposition.Supports(format) || !compress && f.encoding != string(promhttp.Identity) {
		return false
	}
	pieces, done, err := a.pieces()
	if done != nil {
		defer done()
	}
	if err != nil {
		return false // promhttp logs it
	}
	w := &response{answer: res}
	if compress {
		a.gzip.Reset(w)
		err = errors.Join(exposition.Write(a.gzip, format, pieces), a.gzip.Close())
	} else {
		err = exposition.Write(w, format, pieces)
	}
	if err != nil {
		res.body = blocks{}
		return false
	}
	res.header, res.status = header, http.StatusOK
	return true
}

// expire forgets an answer when it is no longer shared.
func (a *answers) expire(f form, res *answer) {
	a.mu.Lock()
	defer a.mu.Unlock()
	time.AfterFunc(time.Until(res.until), func() {
		a.mu.Lock()
		defer a.mu.Unlock()
		if a.shared[f] == res {
			delete(a.shared, f)
		}
	})
}

// forgetOthers forgets all complete answers but one.
func (a *answers) forgetOthers(but *answer) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for f, res := range a.shared {
		if res != but && !res.until.IsZero() {
			delete(a.shared, f)
		}
	}
}

// sizes adds the sizes of all complete answers that further requests get.
func (a *answers) sizes(to map[*answer]int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, res := range a.shared {
		if !res.until.IsZero() {
			to[res] = res.body.size
		}
	}
}

// A response is the http.ResponseWriter that writes an answer.
type response struct {
	*answer
	written bool // whether the status is set
}

// Header implements http.ResponseWriter.
func (r *response) Header() http.Header { return r.header }

// WriteHeader implements http.ResponseWriter.
func (r *response) WriteHeader(status int) {
	if !r.written {
		r.written, r.status = true, status
	}
}

// Write implements http.ResponseWriter.
func (r *response) Write(p []byte) (int, error) {
	r.WriteHeader(http.StatusOK)
	r.body.write(p)
	return len(p), nil
}
