// go.go - Go: net.UDPConn, with the calls that allocate nothing.
//
// Usage: udp-go [PORT]; prints the port.
package main

import (
	"fmt"
	"net"
	"os"
	"runtime"
)

func main() {
	runtime.GOMAXPROCS(1)
	port := "0"
	if len(os.Args) > 1 {
		port = os.Args[1]
	}
	address, err := net.ResolveUDPAddr("udp4", "127.0.0.1:"+port)
	if err != nil {
		panic(err)
	}
	server, err := net.ListenUDP("udp4", address)
	if err != nil {
		panic(err)
	}
	fmt.Println(server.LocalAddr().(*net.UDPAddr).Port)
	buffer := make([]byte, 1024)
	for {
		n, from, err := server.ReadFromUDPAddrPort(buffer)
		if err != nil {
			panic(err)
		}
		if _, err := server.WriteToUDPAddrPort(buffer[:n], from); err != nil {
			panic(err)
		}
	}
}
