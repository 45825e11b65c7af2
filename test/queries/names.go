// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package queries

import (
	"regexp"
	"slices"
	"strings"
)

// Names are the metrics and labels in a query, sorted, each once.
type Names struct {
	Metrics []string
	Labels  []string // in selectors, groupings and matchings
	Made    []string // made by label_replace
}

// Names returns the names in q, which must have its variables filled in. It splits the query into tokens, and does not check that
// it is valid PromQL: a Prometheus does that. Prometheus's own parser would add some hundred modules.
func (q Query) Names() Names {
	tokens := regexp.MustCompile("#[^\n]*|\"(?:\\\\.|[^\"\\\\])*\"|`[^`]*`|[a-zA-Z_:][\\w:]*|[0-9][\\w.]*|[=!]~|[=!<>]=|\\S").
		FindAllString(q.Expr, -1)
	var n Names
	var calls []call // open brackets around the token
	for i, token := range tokens {
		next := ""
		if i+1 < len(tokens) {
			next = tokens[i+1]
		}
		switch {
		case strings.HasPrefix(token, "#"): // a comment
			continue
		case token == "(" || token == "{" || token == "[":
			c := call{bracket: token}
			if i > 0 {
				c.word = tokens[i-1]
			}
			calls = append(calls, c)
			continue
		case len(calls) == 0:
		case token == ")" || token == "}" || token == "]":
			calls = calls[:len(calls)-1]
			continue
		case token == ",":
			calls[len(calls)-1].argument++
		}
		var within call
		if len(calls) > 0 {
			within = calls[len(calls)-1]
		}
		n.add(token, next, within)
	}
	for _, names := range []*[]string{&n.Metrics, &n.Labels, &n.Made} {
		slices.Sort(*names)
		*names = slices.Compact(*names)
	}
	return n
}

// A call is an open bracket with the word before it and the number of commas since.
type call struct {
	bracket, word string
	argument      int
}

// add adds a token, if it is the name of a metric or a label.
func (n *Names) add(token, next string, within call) {
	isWord := regexp.MustCompile(`^[a-zA-Z_:]`).MatchString(token)
	keywords := strings.Fields("and or unless atan2 bool by without on ignoring group_left group_right offset inf nan " +
		"sum avg min max count group stddev stdvar topk bottomk quantile count_values")
	labelLists := strings.Fields("by without on ignoring group_left group_right")
	switch {
	case within.bracket == "[":
	case within.bracket == "{":
		if isWord {
			n.Labels = append(n.Labels, token)
		}
	case within.word == "label_replace" && strings.HasPrefix(token, `"`):
		name := strings.Trim(token, `"`)
		switch {
		case within.argument == 1:
			n.Made = append(n.Made, name)
		case within.argument == 3 && name != "":
			n.Labels = append(n.Labels, name)
		}
	case !isWord:
	case slices.Contains(labelLists, within.word):
		n.Labels = append(n.Labels, token)
	case slices.Contains(keywords, strings.ToLower(token)) || next == "(":
	default:
		n.Metrics = append(n.Metrics, token)
	}
}
