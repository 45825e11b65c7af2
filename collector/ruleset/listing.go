// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package ruleset

// MaxRules is how many rules that log are kept. Further ones are counted by group.
const MaxRules = 10_000

// A listing is what the kernel lists of a ruleset.
type listing struct {
	rules   []Rule
	packets []uint64       // of the rules' counters
	folded  map[uint16]int // rules beyond MaxRules, by group

	tables  map[tableKey]table
	hooks   map[chainKey]int // of the chains with rules that log
	strings map[string]string
	scan    scan
}

type tableKey struct {
	family Family
	name   string
}

type table struct {
	handle  uint64
	dormant bool // its rules do nothing
}

type chainKey struct {
	family      Family
	table, name string
}

func newListing() *listing {
	return &listing{
		folded:  make(map[uint16]int),
		tables:  make(map[tableKey]table),
		hooks:   make(map[chainKey]int),
		strings: make(map[string]string),
	}
}

// addTable adds a table. Tables come before rules.
func (l *listing) addTable(family Family, attrs []byte) {
	var t table
	var name []byte
	for typ, value := range attributes(attrs) {
		switch typ {
		case tableName:
			name = text(value)
		case tableFlags:
			t.dormant = be32(value)&tableDormant != 0
		case tableHandle:
			t.handle = be64(value)
		}
	}
	l.tables[tableKey{family, string(name)}] = t
}

// addRule adds a rule, if it logs.
func (l *listing) addRule(family Family, attrs []byte) {
	var tableName, chainName, expressions, userData []byte
	var handle uint64
	for typ, value := range attributes(attrs) {
		switch typ {
		case ruleTable:
			tableName = text(value)
		case ruleChain:
			chainName = text(value)
		case ruleHandle:
			handle = be64(value)
		case ruleExpressions:
			expressions = value
		case ruleUserData:
			userData = value
		}
	}
	l.scan.expressions(expressions)
	if len(l.scan.logs) == 0 {
		return
	}
	t := l.tables[tableKey{family, string(tableName)}]
	if t.dormant {
		return
	}
	comment := userComment(userData)
	if comment == nil {
		comment = l.scan.comment
	}
	for i := range l.scan.logs {
		log := &l.scan.logs[i]
		if len(l.rules) == MaxRules {
			l.folded[log.group]++
			continue
		}
		r := Rule{
			Family:    family,
			Table:     l.string(tableName),
			Chain:     l.string(chainName),
			Hook:      NoHook,
			Handle:    handle,
			Comment:   l.string(comment),
			Group:     log.group,
			Prefix:    l.string(log.prefix),
			Threshold: log.threshold,
			Snaplen:   log.snaplen,
			Limit:     log.limit,
			Counted:   log.counted,
			table:     t.handle,
			number:    uint8(min(i, 255)),
		}
		l.rules = append(l.rules, r)
		l.packets = append(l.packets, log.packets)
		l.hooks[chainKey{family, r.Table, r.Chain}] = NoHook
	}
}

// addChain adds the hook of a chain. Chains come after rules.
func (l *listing) addChain(family Family, attrs []byte) {
	var tableName, name, hook []byte
	for typ, value := range attributes(attrs) {
		switch typ {
		case chainTable:
			tableName = text(value)
		case chainName:
			name = text(value)
		case chainHook:
			hook = attribute(value, hookNumber)
		}
	}
	if hook == nil {
		return
	}
	if _, ok := l.hooks[chainKey{family, string(tableName), string(name)}]; ok {
		l.hooks[chainKey{family, string(tableName), string(name)}] = int(be32(hook))
	}
}

// finish completes the rules with the hooks of their chains, and releases what is needed only until then.
func (l *listing) finish() {
	for i := range l.rules {
		r := &l.rules[i]
		r.Hook = l.hooks[chainKey{r.Family, r.Table, r.Chain}]
	}
	l.tables, l.hooks, l.strings = nil, nil, nil
}

// string returns a string, the same memory for the same bytes.
func (l *listing) string(b []byte) string {
	s, ok := l.strings[string(b)]
	if !ok {
		s = string(b)
		l.strings[s] = s
	}
	return s
}

// userComment returns the comment in a rule's user data, nil if there is none. User data is a list of type, length and value, as
// libnftnl writes it.
func userComment(b []byte) []byte {
	for len(b) >= 2 {
		length := int(b[1])
		if length > len(b)-2 {
			return nil
		}
		if b[0] == userDataComment {
			return text(b[2 : 2+length])
		}
		b = b[2+length:]
	}
	return nil
}
