// go.go - the peer that people compare every task library with: Go's net, a goroutine for
// each connection, on one processor as all the others here.
//
// Usage: echo-go [PORT]; prints the port.
package main

import (
	"fmt"
	"net"
	"os"
	"runtime"
)

func echo(connection net.Conn) {
	defer connection.Close()
	buffer := make([]byte, 1024)
	for {
		n, err := connection.Read(buffer)
		if err != nil {
			return
		}
		if _, err := connection.Write(buffer[:n]); err != nil {
			return
		}
	}
}

func main() {
	runtime.GOMAXPROCS(1)
	port := "0"
	if len(os.Args) > 1 {
		port = os.Args[1]
	}
	server, err := net.Listen("tcp4", "127.0.0.1:"+port)
	if err != nil {
		panic(err)
	}
	fmt.Println(server.Addr().(*net.TCPAddr).Port)
	for {
		connection, err := server.Accept()
		if err != nil {
			panic(err)
		}
		go echo(connection)
	}
}
