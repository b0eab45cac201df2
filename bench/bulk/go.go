// go.go - Go: Write, Read, and io.CopyN from a file, which is sendfile.  The requests are
// those of raw.c.
//
// Usage: bulk-go PORT FILE; prints the port.
package main

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"os"
	"runtime"
	"strconv"
)

var chunk = bytes.Repeat([]byte("x"), 131072)

func check(err error) {
	if err != nil {
		panic(err)
	}
}

func piece(left, size int64) int64 {
	if left < size {
		return left
	}
	return size
}

func sendBytes(connection net.Conn, left int64) {
	for left > 0 {
		n, err := connection.Write(chunk[:piece(left, int64(len(chunk)))])
		check(err)
		left -= int64(n)
	}
}

func sendFile(connection net.Conn, file *os.File, left int64) {
	status, err := file.Stat()
	check(err)
	for left > 0 {
		_, err := file.Seek(0, io.SeekStart)
		check(err)
		n, err := io.CopyN(connection, file, piece(left, status.Size()))
		check(err)
		left -= n
	}
}

func receiveBytes(connection net.Conn, left int64) {
	for left > 0 {
		n, err := connection.Read(chunk)
		check(err)
		left -= int64(n)
	}
}

func main() {
	runtime.GOMAXPROCS(1)
	file, err := os.Open(os.Args[2])
	check(err)
	server, err := net.Listen("tcp4", "127.0.0.1:"+os.Args[1])
	check(err)
	fmt.Println(server.Addr().(*net.TCPAddr).Port)
	for {
		connection, err := server.Accept()
		check(err)
		request := make([]byte, 16)
		_, err = io.ReadFull(connection, request)
		check(err)
		left, err := strconv.ParseInt(string(request[1:]), 10, 64)
		check(err)
		switch request[0] {
		case 's':
			sendBytes(connection, left)
		case 'f':
			sendFile(connection, file, left)
		default:
			receiveBytes(connection, left)
		}
		connection.Close()
	}
}
