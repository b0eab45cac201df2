// go.go - Go: what a switch costs, and a goroutine from go to its end.
//
// Usage: switch-go; prints the ns of a switch and the ns of a goroutine.
package main

import (
	"fmt"
	"runtime"
	"time"
)

const (
	switches = 5000000
	routines = 2000000
	batch    = 100
)

var finished int

func yields() {
	for i := 0; i < switches/2; i++ {
		runtime.Gosched()
	}
	finished++
}

func nothing() {
	finished++
}

func waitFor(n int) {
	for finished < n {
		runtime.Gosched()
	}
	finished = 0
}

func main() {
	runtime.GOMAXPROCS(1)
	start := time.Now()
	go yields()
	yields()
	waitFor(2)
	forSwitches := time.Since(start)

	start = time.Now()
	for i := 0; i < routines/batch; i++ {
		for j := 0; j < batch; j++ {
			go nothing()
		}
		waitFor(batch)
	}
	forRoutines := time.Since(start)
	fmt.Printf("%.2f %.2f\n", float64(forSwitches.Nanoseconds())/switches, float64(forRoutines.Nanoseconds())/routines)
}
