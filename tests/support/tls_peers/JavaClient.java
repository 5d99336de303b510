// SPDX-License-Identifier: Apache-2.0
//
// JavaClient PORT VERSION FOLDER TIMES: a client on JSSE, with the authority and the revocations of FOLDER.
import java.io.FileInputStream;
import java.io.InputStream;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.security.cert.CertStore;
import java.security.cert.CertificateFactory;
import java.security.cert.CollectionCertStoreParameters;
import java.security.cert.PKIXBuilderParameters;
import java.security.cert.TrustAnchor;
import java.security.cert.X509CertSelector;
import java.security.cert.X509Certificate;
import java.util.Set;
import javax.net.ssl.CertPathTrustManagerParameters;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManagerFactory;

public final class JavaClient {
  private static SSLContext trusting(String folder) throws Exception {
    CertificateFactory reader = CertificateFactory.getInstance("X.509");
    try (InputStream authority = new FileInputStream(folder + "/ca.pem");
        InputStream revocations = new FileInputStream(folder + "/crl.pem")) {
      TrustAnchor anchor = new TrustAnchor((X509Certificate) reader.generateCertificate(authority), null);
      PKIXBuilderParameters path = new PKIXBuilderParameters(Set.of(anchor), new X509CertSelector());
      path.addCertStore(
          CertStore.getInstance("Collection", new CollectionCertStoreParameters(reader.generateCRLs(revocations))));
      TrustManagerFactory managers = TrustManagerFactory.getInstance("PKIX");
      managers.init(new CertPathTrustManagerParameters(path));
      SSLContext context = SSLContext.getInstance("TLS");
      context.init(null, managers.getTrustManagers(), null);
      return context;
    }
  }

  private static String fetch(SSLContext context, int port, String version) throws Exception {
    Socket plain = new Socket("127.0.0.1", port);
    // JSSE ends the handshake in two writes.
    plain.setTcpNoDelay(true);
    try (SSLSocket session = (SSLSocket) context.getSocketFactory().createSocket(plain, "localhost", port, true)) {
      SSLParameters wanted = session.getSSLParameters();
      wanted.setProtocols(new String[] {"TLSv" + version});
      wanted.setEndpointIdentificationAlgorithm("HTTPS");
      session.setSSLParameters(wanted);
      session.startHandshake();
      return new String(session.getInputStream().readAllBytes(), StandardCharsets.US_ASCII);
    }
  }

  public static void main(String[] words) {
    try {
      SSLContext context = trusting(words[2]);
      for (int left = Integer.parseInt(words[3]); left > 0; left--) {
        if (!fetch(context, Integer.parseInt(words[0]), words[1]).contains("200 OK")) System.exit(1);
      }
    } catch (Exception failed) {
      System.err.println(failed);
      System.exit(1);
    }
  }
}
