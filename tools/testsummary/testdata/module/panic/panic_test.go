package panic

import (
	"testing"
)

func TestPanic(t *testing.T) {
	t.Log("before")
	t.Run("sub", func(t *testing.T) {
		panic("on purpose")
	})
}
