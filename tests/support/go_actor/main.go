// SPDX-License-Identifier: Apache-2.0
//
// Shakes hands by crypto/tls as a test tells it, as a client or as a server, and prints how each handshake ended: "ok",
// or the error.
//
//	go_actor client PORT [OPTION...]
//	go_actor server [OPTION...]          prints "port N" first
//
// Both wait a while before they begin, since an agent has to find them first.
package main

import (
	"crypto/tls"
	"crypto/x509"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"time"
)

const serverName = "localhost"

type options struct {
	isServer    bool
	port        string
	settle      time.Duration
	patience    time.Duration
	times       int
	version     string
	cipher      string
	trust       string
	certificate string
	key         string
	protocol    string
	verify      string
	require     bool
	plain       bool
	mute        bool
}

func parse(arguments []string) options {
	var given options
	flags := flag.NewFlagSet("go_actor", flag.ExitOnError)
	flags.DurationVar(&given.settle, "settle", 600*time.Millisecond, "wait so long before anything else")
	flags.DurationVar(&given.patience, "patience", 0, "a handshake takes no longer")
	flags.IntVar(&given.times, "times", 1, "so many connections, one after the other")
	flags.StringVar(&given.version, "version", "1.3", "1.2 or 1.3, and no other")
	flags.StringVar(&given.cipher, "cipher", "", "the only one, of TLS 1.2")
	flags.StringVar(&given.trust, "trust", "", "file of the authority that a peer's certificate may come from")
	flags.StringVar(&given.certificate, "certificate", "", "file")
	flags.StringVar(&given.key, "key", "", "file")
	flags.StringVar(&given.protocol, "protocol", "", "of the application (ALPN), and no other")
	flags.StringVar(&given.verify, "verify", "library", "library, own (in a callback), waved (the same, and lets all pass), no")
	flags.BoolVar(&given.require, "require", false, "a server: the client must have a certificate")
	flags.BoolVar(&given.plain, "plain", false, "speaks no TLS: greets, and reads what comes")
	flags.BoolVar(&given.mute, "mute", false, "only reads what comes")
	given.isServer = arguments[0] == "server"
	if !given.isServer {
		given.port, arguments = arguments[1], arguments[1:]
	}
	_ = flags.Parse(arguments[1:])
	return given
}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func cipherNumber(name string) uint16 {
	for _, suite := range tls.CipherSuites() {
		if suite.Name == name {
			return suite.ID
		}
	}
	must(fmt.Errorf("unknown cipher %s", name))
	return 0
}

// What a program does that judges certificates itself.
func verifier(given options, roots *x509.CertPool) func([][]byte, [][]*x509.Certificate) error {
	return func(chain [][]byte, _ [][]*x509.Certificate) error {
		certificate, err := x509.ParseCertificate(chain[0])
		if err == nil {
			_, err = certificate.Verify(x509.VerifyOptions{Roots: roots, DNSName: serverName})
		}
		if err == nil || given.verify == "waved" {
			return nil
		}
		return fmt.Errorf("refused: %w", err)
	}
}

func configure(given options) *tls.Config {
	version := map[string]uint16{"1.2": tls.VersionTLS12, "1.3": tls.VersionTLS13}[given.version]
	config := &tls.Config{MinVersion: version, MaxVersion: version, ServerName: serverName}
	roots := x509.NewCertPool()
	if given.trust != "" {
		authority, err := os.ReadFile(given.trust)
		must(err)
		roots.AppendCertsFromPEM(authority)
	}
	config.RootCAs, config.ClientCAs = roots, roots
	if given.certificate != "" {
		pair, err := tls.LoadX509KeyPair(given.certificate, given.key)
		must(err)
		// A client that is asked for one of another authority would give none by itself.
		config.Certificates = []tls.Certificate{pair}
		config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &pair, nil }
	}
	if given.require {
		config.ClientAuth = tls.RequireAndVerifyClientCert
	}
	if given.cipher != "" {
		config.CipherSuites = []uint16{cipherNumber(given.cipher)}
	}
	if given.protocol != "" {
		config.NextProtos = []string{given.protocol}
	}
	config.InsecureSkipVerify = given.verify != "library"
	if given.verify == "own" || given.verify == "waved" {
		config.VerifyPeerCertificate = verifier(given, roots)
	}
	return config
}

// Says goodbye, and reads until the peer does, so that what it has sent does not make a reset of the close.
func drain(socket net.Conn) {
	_ = socket.(*net.TCPConn).CloseWrite()
	_ = socket.SetDeadline(time.Now().Add(5 * time.Second))
	_, _ = io.Copy(io.Discard, socket)
	socket.Close()
}

func talk(session *tls.Conn, isServer bool) error {
	text := make([]byte, 16)
	if isServer {
		if _, err := io.ReadFull(session, text); err != nil {
			return err
		}
		_, err := session.Write(text)
		return err
	}
	if _, err := session.Write([]byte("sixteen letters.")); err != nil {
		return err
	}
	_, err := io.ReadFull(session, text)
	return err
}

func shake(socket net.Conn, given options, config *tls.Config) error {
	session := tls.Client(socket, config)
	if given.isServer {
		session = tls.Server(socket, config)
	}
	if given.patience > 0 {
		_ = socket.SetDeadline(time.Now().Add(given.patience))
	}
	if err := session.Handshake(); err != nil {
		return err
	}
	if err := talk(session, given.isServer); err != nil {
		return err
	}
	return session.CloseWrite()
}

func connectionOf(listener net.Listener, given options) net.Conn {
	if listener != nil {
		socket, err := listener.Accept()
		must(err)
		return socket
	}
	socket, err := net.Dial("tcp", "127.0.0.1:"+given.port)
	must(err)
	return socket
}

func meet(socket net.Conn, given options, config *tls.Config) {
	defer drain(socket)
	if given.mute {
		_, _ = io.Copy(io.Discard, socket)
		return
	}
	if given.plain {
		_, _ = io.WriteString(socket, "HELLO "+strings.Repeat("x", 32)+"\r\n")
		return
	}
	if err := shake(socket, given, config); err != nil {
		fmt.Printf("%T: %v\n", err, err)
		return
	}
	fmt.Println("ok")
}

func main() {
	if len(os.Args) < 2 || (os.Args[1] != "server" && (os.Args[1] != "client" || len(os.Args) < 3)) {
		fmt.Fprintln(os.Stderr, "usage: go_actor client PORT|server [OPTION...]")
		os.Exit(2)
	}
	given := parse(os.Args[1:])
	config := configure(given)
	time.Sleep(given.settle)
	var listener net.Listener
	if given.isServer {
		var err error
		listener, err = net.Listen("tcp", "127.0.0.1:0")
		must(err)
		fmt.Printf("port %d\n", listener.Addr().(*net.TCPAddr).Port)
	}
	for i := 0; i < given.times; i++ {
		meet(connectionOf(listener, given), given, config)
	}
}
