package pass

import "testing"

func TestPass(t *testing.T) { t.Log("not shown") }

func TestSkip(t *testing.T) {
	t.Log("some log")
	t.Skip("needs root")
}

func TestSkipNow(t *testing.T) { t.SkipNow() }
