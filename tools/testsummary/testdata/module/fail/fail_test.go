package fail

import (
	"fmt"
	"testing"
)

func TestPass(t *testing.T) {
	t.Log("not shown")
	t.Run("sub", func(t *testing.T) { t.Log("not shown") })
}

func TestFail(t *testing.T) {
	t.Log("before")
	t.Run("with/slash", func(t *testing.T) {
		t.Run("deep", func(t *testing.T) { t.Error("first\nsecond\n--- FAIL: third (0.00s)") })
		t.Log("after deep")
	})
	t.Run("pass", func(t *testing.T) { t.Log("not shown") })
	t.Run("skip", func(t *testing.T) { t.Skip("needs root\nand more") })
	t.Log("after")
}

// Only one fails, because go test reports parallel tests in the order in which they happen to end.
func TestParallel(t *testing.T) {
	t.Run("a", func(t *testing.T) {
		t.Parallel()
		t.Error("a")
	})
	t.Run("b", func(t *testing.T) {
		t.Parallel()
		t.Log("b")
	})
}

func Example() {
	fmt.Println("got")
	// Output: want
}
