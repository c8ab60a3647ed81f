use tokio::net::TcpListener;

use super::*;

const REQUEST: &[u8] = b"GET / HTTP/1.1\r\n\r\n";

/// What comes back when a server sends these pieces, whatever it was asked.
async fn exchanged(pieces: &'static [&'static str]) -> Result<(u16, String)> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let mut http = Http1::connect(listener.local_addr()?).await?;
    let (mut stream, _) = listener.accept().await?;
    let server = async move {
        // A connection that is closed with something unread is reset, and what was sent on it may be lost.
        stream.read_exact(&mut [0; REQUEST.len()]).await.unwrap();
        for piece in pieces {
            stream.write_all(piece.as_bytes()).await.unwrap();
            stream.flush().await.unwrap();
            tokio::task::yield_now().await;
        }
    };
    let ((), got) = tokio::join!(server, http.exchange(REQUEST));
    let (status, body) = got?;
    Ok((status, String::from_utf8(body.to_vec())?))
}

#[tokio::test]
async fn a_body_of_known_length_is_read() {
    let got = exchanged(&["HTTP/1.1 404 Not ", "Found\r\nContent-Length: 5\r\n\r\nhe", "llo"]).await.unwrap();
    assert_eq!(got, (404, "hello".into()));
}

#[tokio::test]
async fn chunks_are_put_together_wherever_they_are_cut() {
    let pieces = &[
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        "3\r\nhe",
        "l\r",
        "\n2\r\nlo\r\n0\r",
        "\n\r\n",
    ];
    assert_eq!(exchanged(pieces).await.unwrap(), (200, "hello".into()));
}

#[tokio::test]
async fn what_is_cut_off_or_too_much_is_an_error() {
    for pieces in [
        &["HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell"] as &'static [_],
        &["HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nhello"],
        &["HTTP/1.1 200 OK\r\n\r\nhello"],
        &["HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhello\r\n0\r\n\r\n"],
        &["HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n"],
        &[""],
    ] {
        assert!(exchanged(pieces).await.is_err(), "{pieces:?}");
    }
}
