// SPDX-License-Identifier: Apache-2.0
//
// go_client PORT VERSION FOLDER TIMES: a client on crypto/tls, with the authority of FOLDER. It knows no revocations.
package main

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
)

func fetch(port, version, folder string) error {
	authority, err := os.ReadFile(folder + "/ca.pem")
	if err != nil {
		return err
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(authority)
	only, known := map[string]uint16{"1.2": tls.VersionTLS12, "1.3": tls.VersionTLS13}[version]
	if !known {
		return errors.New("unknown version " + version)
	}
	config := &tls.Config{RootCAs: roots, ServerName: "localhost", MinVersion: only, MaxVersion: only}
	session, err := tls.Dial("tcp", "127.0.0.1:"+port, config)
	if err != nil {
		return err
	}
	defer session.Close()
	answer, err := io.ReadAll(session)
	if err == nil && !strings.Contains(string(answer), "200 OK") {
		err = errors.New("no answer")
	}
	return err
}

func main() {
	if len(os.Args) != 5 {
		fmt.Fprintln(os.Stderr, "usage: go_client PORT VERSION FOLDER TIMES")
		os.Exit(2)
	}
	times, err := strconv.Atoi(os.Args[4])
	for done := 0; err == nil && done < times; done++ {
		err = fetch(os.Args[1], os.Args[2], os.Args[3])
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "%T: %v\n", err, err)
		os.Exit(1)
	}
}
