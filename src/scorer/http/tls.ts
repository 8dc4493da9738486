const ROOTS = "name a file with that authority's certificate in NODE_EXTRA_CA_CERTS";

const UNTRUSTED: Readonly<Record<string, string>> = {
  SELF_SIGNED_CERT_IN_CHAIN: "comes from a certificate authority of its own, which is not known here",
  UNABLE_TO_GET_ISSUER_CERT: "comes from a certificate authority that is not known here",
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: "comes from a certificate authority that is not known here",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: "comes from a certificate authority that is not known here",
  CERT_UNTRUSTED: "is not trusted",
  INVALID_CA: "comes from something that is not a certificate authority",
};

/** What is wrong with a TLS connection and what to do about it, as one phrase; null where it is not TLS that failed. */
export function tlsProblem(error: Error, code: string | null, { hostname }: URL): string | null {
  if (code === null) return null;
  const certificate = `the certificate of ${hostname}`;
  const untrusted = UNTRUSTED[code];
  if (code === "DEPTH_ZERO_SELF_SIGNED_CERT")
    return `${certificate} is self-signed: name a file with it in NODE_EXTRA_CA_CERTS`;
  if (untrusted !== undefined) return `${certificate} ${untrusted}: ${ROOTS}`;
  if (code === "CERT_HAS_EXPIRED") return `${certificate} has expired: it has to be renewed`;
  if (code === "CERT_NOT_YET_VALID") return `${certificate} is not valid yet: is this machine's clock right?`;
  if (code === "CERT_REVOKED") return `${certificate} was revoked: it has to be renewed`;
  if (code === "ERR_TLS_CERT_ALTNAME_INVALID" || code === "UND_ERR_PRX_TLS")
    return `${certificate} is for ${namesIn(error)}: use one of its names in the URL`;
  if (code === "ERR_SSL_WRONG_VERSION_NUMBER" || code === "ERR_SSL_PACKET_LENGTH_TOO_LONG")
    return `${hostname} does not speak TLS on this port: is it an http:// service?`;
  if (code === "EPROTO" || code.startsWith("ERR_SSL_") || code.startsWith("ERR_TLS_"))
    return `no TLS connection to ${hostname}: ${reasonIn(error)}`;
  return null;
}

interface Certificate {
  readonly subject?: { readonly CN?: string };
  readonly subjectaltname?: string;
}

function certificateOf(error: Error): Certificate | null {
  return "cert" in error ? (error.cert as Certificate) : null;
}

/** The certificate's own names, without their kinds. */
function namesIn(error: Error): string {
  const certificate = certificateOf(error);
  const names = certificate?.subjectaltname?.replaceAll(/(^|, )(DNS|IP Address):/g, "$1");
  return names ?? certificate?.subject?.CN ?? "another host";
}

/** OpenSSL's words: the last but one part of `…:error:0A000410:SSL routines:ssl3_read_bytes:sslv3 alert handshake failure:…`. */
function reasonIn(error: Error): string {
  const said = /:SSL routines:[^:]*:([^:]+):/.exec(error.message)?.[1];
  return said ?? error.message.split("\n", 1)[0]!;
}
