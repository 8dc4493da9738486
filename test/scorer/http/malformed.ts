/** A reply as bytes (Latin-1) on the wire, after which the connection is closed. */
export interface RawReply {
  readonly name: string;
  readonly text: string;
}

const BODY = "Content-Length: 2\r\n\r\n[]";
const CHUNKED = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n";
const WHOLE = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 6\r\n\r\n[7, 2]";
const CLOSING = WHOLE.replace("\r\n", "\r\nConnection: close\r\n");
const IN_CHUNKS = `${CHUNKED}Trailer: X-Sum\r\n\r\n3\r\n[7,\r\n3;x=y\r\n 2]\r\n0\r\nX-Sum: 1\r\n\r\n`;

const STATUSES = [
  ..."000|001|042|099|1|10|20|2000|20000|600|700|999|65736|4294967496".split("|"),
  ..."-200|+200|2e2|0xc8|200.0|abc|| 200|20O|100|101|102|103|199".split("|"),
  ..."204|205|206|300|304|305|306|407|426|499".split("|"),
];

const VERSIONS =
  "HTTP/0.9|HTTP/1.0|HTTP/1.2|HTTP/2|HTTP/2.0|HTTP/3.0|HTTP/9.9|HTTP/11.1|http/1.1|HTTP/|HTTP|HTTP/1|HTTP/1.|HTTP/.1|HTTP/1,1|HTTPS/1.1|ICY|RTSP/1.0|SIP/2.0|H| HTTP/1.1".split(
    "|",
  );

/** Heads behind `HTTP/1.1 200 OK`, each with the body `[]`. */
const HEADS = [
  ..."0|1|3|-1|+2|2.0|2e0|0x2|| |2 2|2,2|2, 3|00000002|99999999999999999999"
    .split("|")
    .map((length) => `Content-Length: ${length}`),
  ...'18446744073709551617|18446744073709551618|NaN|two|2;|"2"|\t2|2\t|2\u00A0'
    .split("|")
    .map((length) => `Content-Length: ${length}`),
  ..."chunked|identity|gzip|gzip, chunked|chunked, gzip|chunked, chunked|CHUNKED|xchunked"
    .split("|")
    .map((coding) => `Transfer-Encoding: ${coding}`),
  ..."chunked;q=1|| |,|chunked,|,chunked|\u000Bchunked|chunked\u0000|deflate, identity"
    .split("|")
    .map((coding) => `Transfer-Encoding: ${coding}`),
  ..."chunked|identity|gzip|x"
    .split("|")
    .flatMap((coding) => [
      `Content-Length: 2\r\nTransfer-Encoding: ${coding}`,
      `Transfer-Encoding: ${coding}\r\nContent-Length: 2`,
      `Transfer-Encoding: ${coding}\r\nTransfer-Encoding: chunked`,
    ]),
  "Content-Length: 2\r\nContent-Length: 2",
  "Content-Length: 2\r\nContent-Length: 3",
  "Content-Length: 3\r\nContent-Length: 2",
  "Content-Length: 2\r\nContent-Length: 2\r\nContent-Length: 2",
  "Content-Length: 2\r\ncontent-length: 02",
  "Content-Length : 2",
  "Content-Length\t: 2",
  " Content-Length: 2",
  "\tContent-Length: 2",
  "X: 1\r\n folded\r\nContent-Length: 2",
  "X: 1\n\tfolded\nContent-Length: 2",
  "Content-Length: 2\r\n folded",
  "Content-Length:\r\n 2",
  "Content-Length",
  "Content-Length2",
  ": 2",
  ":",
  "X",
  "X y: 1",
  "X(y): 1",
  "X\u0000y: 1",
  "X: a\u0000b",
  "X: a\u0001b",
  "X: a\rb",
  "X: a\nb",
  "X: a\u007Fb",
  "X: \u001B[31mred",
  "X: \u00E9\u00FF",
  "\u00E9: 1",
  "\u0000: 1",
  "{}: 1",
  `${"a".repeat(20_000)}: 1`,
  `X: ${"a".repeat(20_000)}`,
  Array.from({ length: 5_000 }, (_, i) => `X-${i}: 1`).join("\r\n"),
  "Connection: upgrade\r\nUpgrade: h2c",
  "Connection: upgrade\r\nUpgrade: websocket\r\nContent-Length: 2",
  "Upgrade: TLS/1.3\r\nContent-Length: 2",
  "Connection: close, keep-alive\r\nContent-Length: 2",
  "Connection: \r\nContent-Length: 2",
  "Connection: keep-alive\r\nKeep-Alive: timeout=-1\r\nContent-Length: 2",
  "Connection: keep-alive\r\nKeep-Alive: timeout=99999999999999999999, max=0\r\nContent-Length: 2",
  "Keep-Alive: timeout=x\r\nContent-Length: 2",
  "Proxy-Connection: close\r\nContent-Length: 2",
  ..."zstd|compress|gzip|br|deflate|identity|Identity||,|gzip, gzip|x-gzip|none|\u0001"
    .split("|")
    .map((encoding) => `Content-Encoding: ${encoding}\r\nContent-Length: 2`),
  `Content-Encoding: ${Array.from({ length: 3_000 }, () => "gzip").join(",")}\r\nContent-Length: 2`,
  ..."http://|//|::|javascript:alert(1)|file:///etc/passwd||\u0000|http://[|?|#"
    .split("|")
    .map((location) => `Location: ${location}\r\nContent-Length: 2`),
  "Set-Cookie: a=1\r\nSet-Cookie: b=2\r\nContent-Length: 2",
  "__proto__: 1\r\nconstructor: 2\r\nContent-Length: 2",
  "Retry-After: -99999999999999999999\r\nContent-Length: 2",
  "Date: never\r\nContent-Length: 2",
];

/** What stands behind the head of a reply in chunks. */
const CHUNKS = [
  ..."|\r\n|0|0\r|0\r\n|0\r\n\r|0\r\n\r\n|0\n\n|00000\r\n\r\n|-0\r\n\r\n|+0\r\n\r\n".split("|"),
  ..."2\r\n[]|2\r\n[]\r\n|2\r\n[]0\r\n\r\n|2\r\n[]\n0\r\n\r\n|2\r\n[]\r0\r\n\r\n|2\n[]\n0\n\n|2\r\n[]\r\n0\r\n".split(
    "|",
  ),
  ..."1\r\n[]\r\n0\r\n\r\n|3\r\n[]\r\n0\r\n\r\n|-2\r\n[]\r\n0\r\n\r\n|+2\r\n[]\r\n0\r\n\r\n|0x2\r\n[]\r\n0\r\n\r\n".split(
    "|",
  ),
  ..."g\r\n[]|2g\r\n[]| 2\r\n[]\r\n0\r\n\r\n|2 \r\n[]\r\n0\r\n\r\n|2\t\r\n[]|\r\n2\r\n[]\r\n0\r\n\r\n".split(
    "|",
  ),
  ..."fffffffffffffffff\r\n[]|ffffffffffffffff\r\n[]|7fffffffffffffff\r\n[]|80000000\r\n[]|100000000\r\n[]".split(
    "|",
  ),
  ...'2;\r\n[]\r\n0\r\n\r\n|2;a\r\n[]\r\n0\r\n\r\n|2;a="\r\n[]\r\n0\r\n\r\n|2;a=b;c\r\n[]\r\n0\r\n\r\n|2;\u0000\r\n[]'.split(
    "|",
  ),
  `2;${"x".repeat(50_000)}\r\n[]\r\n0\r\n\r\n`,
  ..."X: 1\r\n\r\n|X\r\n\r\n|: 1\r\n\r\n|Content-Length: 9\r\n\r\n|Transfer-Encoding: x\r\n\r\n|X: \u0000\r\n\r\n"
    .split("|")
    .map((trailers) => `2\r\n[]\r\n0\r\n${trailers}`),
  `2\r\n[]\r\n0\r\nX: ${"a".repeat(50_000)}\r\n\r\n`,
  "2\r\n[]\r\n0\r\n\r\ntrailing",
  `2\r\n[]\r\n0\r\n\r\n${WHOLE}`,
];

/** Whole answers. */
const ANSWERS = [
  "",
  "\r\n",
  "\r\n\r\n",
  "\n",
  "\u0000",
  "\u0000".repeat(5_000),
  "[]",
  '{"data": 1}',
  "<html></html>",
  "hello\r\n\r\n",
  ..."\u0015\u0003\u0001\u0000\u0002\u0002\u0016|\u0016\u0003\u0001\u0002\u0000\u0001|SSH-2.0-OpenSSH_9.6\r\n|220 smtp ready\r\n".split(
    "|",
  ),
  ..."+OK\r\n|-ERR unknown command\r\n|PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n|\u0000\u0000\u0012\u0004\u0000\u0000\u0000\u0000\u0000".split(
    "|",
  ),
  "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
  `POST /score HTTP/1.1\r\n${BODY}`,
  "CONNECT a:1 HTTP/1.1\r\n\r\n",
  "\u00EF\u00BB\u00BFHTTP/1.1 200 OK\r\n",
  `\r\n\r\n${WHOLE}`,
  `\n${WHOLE}`,
  `  ${WHOLE}`,
  `${WHOLE}${WHOLE}`,
  `${WHOLE}garbage`,
  `${WHOLE}\r\n\r\n`,
  WHOLE.replaceAll("\r\n", "\n"),
  WHOLE.replaceAll("\r\n", "\r"),
  `HTTP/1.1 200 ${"O".repeat(50_000)}\r\n${BODY}`,
  `HTTP/1.1 200 O\u0000K\r\n${BODY}`,
  `HTTP/1.1 200 \u001B[31m\r\n${BODY}`,
  `HTTP/1.1 200\r\n${BODY}`,
  `HTTP/1.1 200 \r\n${BODY}`,
  `HTTP/1.1  200 OK\r\n${BODY}`,
  `HTTP/1.1\t200 OK\r\n${BODY}`,
  `HTTP/1.1 200OK\r\n${BODY}`,
  "HTTP/1.1 204 No Content\r\nContent-Length: 2\r\n\r\n[]",
  "HTTP/1.1 304 Not Modified\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n[]\r\n0\r\n\r\n",
  "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n",
  `HTTP/1.1 101 Switching Protocols\r\n\r\n${WHOLE}`,
  "HTTP/1.1 103 Early Hints\r\nContent-Length: 2\r\n\r\n[]",
  `HTTP/1.1 103 Early Hints\r\nTransfer-Encoding: chunked\r\n\r\n${WHOLE}`,
  "HTTP/1.1 100 Continue\r\n\r\n",
  "HTTP/1.1 100 Continue\r\nContent-Length: 2\r\n\r\n[]",
  `${"HTTP/1.1 100 Continue\r\n\r\n".repeat(500)}HTTP/1.1 099 X\r\n${BODY}`,
  "HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n".repeat(2_000),
];

/** One byte of a whole reply's head or framing replaced by another, removed or doubled. */
function damaged(text: string, replacement: string): string[] {
  return Array.from({ length: text.length }, (_, at) => text.slice(0, at) + replacement + text.slice(at + 1));
}

const cut = (text: string): string[] => Array.from({ length: text.length }, (_, end) => text.slice(0, end));

function named(kind: string, texts: readonly string[]): RawReply[] {
  return texts.map((text, i) => ({ name: `${kind} ${i}: ${JSON.stringify(text.slice(0, 90))}`, text }));
}

/** Replies that break HTTP/1.1's rules, or come close to it. */
export const RAW_REPLIES: readonly RawReply[] = [
  ...named(
    "status",
    STATUSES.map((status) => `HTTP/1.1 ${status} Odd\r\n${BODY}`),
  ),
  ...named(
    "version",
    VERSIONS.map((version) => `${version} 200 OK\r\n${BODY}`),
  ),
  ...named(
    "head",
    HEADS.map((head) => `HTTP/1.1 200 OK\r\n${head}\r\n\r\n[]`),
  ),
  ...named(
    "redirect",
    HEADS.filter((head) => head.startsWith("Location")).map((head) => `HTTP/1.1 307 Go\r\n${head}\r\n\r\n[]`),
  ),
  ...named(
    "chunks",
    CHUNKS.map((chunks) => `${CHUNKED}\r\n${chunks}`),
  ),
  ...named("answer", ANSWERS),
  ...named("cut", [...cut(WHOLE), ...cut(CLOSING), ...cut(IN_CHUNKS)]),
  ..."\u0000|\r| |9"
    .split("|")
    .flatMap((byte) =>
      named(`damaged by ${JSON.stringify(byte)}`, [...damaged(WHOLE, byte), ...damaged(IN_CHUNKS, byte)]),
    ),
];
