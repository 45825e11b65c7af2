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

func TestParallel(t *testing.T) {
	ended := make(chan struct{}) // a, so that the order is always the same
	for _, name := range []string{"a", "b"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if name == "a" {
				t.Cleanup(func() { close(ended) })
			} else {
				<-ended
			}
			t.Error(name)
		})
	}
}

func Example() {
	fmt.Println("got")
	// Output: want
}
