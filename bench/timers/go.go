// go.go - Go: a goroutine for each timer, which sleeps.
//
// Usage: timers-go COUNT; prints the ns of CPU time that one goroutine has cost.
package main

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"sync"
	"syscall"
	"time"
)

func cpu() int64 {
	var usage syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &usage)
	return usage.Utime.Nano() + usage.Stime.Nano()
}

func main() {
	runtime.GOMAXPROCS(1)
	count := 100000
	if len(os.Args) > 1 {
		count, _ = strconv.Atoi(os.Args[1])
	}
	before := cpu()
	var all sync.WaitGroup
	all.Add(count)
	for i := 0; i < count; i++ {
		go func(i int) {
			time.Sleep(time.Duration(100000000 + i*7919%count*900000000/count))
			all.Done()
		}(i)
	}
	all.Wait()
	fmt.Printf("%.1f\n", float64(cpu()-before)/float64(count))
}
