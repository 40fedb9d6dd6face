//! Lines of bounded length.

use tokio::{
    io::{AsyncBufReadExt as _, AsyncRead, BufReader},
    sync::mpsc,
};

/// What came in.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line {
    /// A line, without its end.
    Text(Vec<u8>),
    /// One that was longer than is read. Nothing of it is kept.
    TooLong,
}

/// Reads lines until there are no more, or nobody takes them. No more of a line is held than
/// `longest`, in bytes. What comes after the last line's end is a line, too.
pub(super) async fn read(input: impl AsyncRead + Unpin, longest: usize, lines: mpsc::Sender<Line>) {
    let mut input = BufReader::new(input);
    let (mut line, mut too_long) = (Vec::new(), false);
    loop {
        let piece = match input.fill_buf().await {
            Ok(piece) => piece,
            Err(error) => {
                tracing::info!(event = "stdio.unreadable", %error, "the input cannot be read on");
                break;
            }
        };
        if piece.is_empty() {
            break;
        }
        let end = piece.iter().position(|byte| *byte == b'\n');
        let text = &piece[..end.unwrap_or(piece.len())];
        if too_long || line.len() + text.len() > longest {
            too_long = true;
            line = Vec::new();
        } else {
            line.extend_from_slice(text);
        }
        let taken = end.map_or(piece.len(), |end| end + 1);
        input.consume(taken);
        if end.is_some() && lines.send(whole(&mut line, &mut too_long)).await.is_err() {
            return;
        }
    }
    if too_long || !line.is_empty() {
        // Whoever took them is gone as well.
        let _ = lines.send(whole(&mut line, &mut too_long)).await;
    }
}

fn whole(line: &mut Vec<u8>, too_long: &mut bool) -> Line {
    let text = std::mem::take(line);
    if std::mem::take(too_long) { Line::TooLong } else { Line::Text(text) }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn lines(input: &'static [u8], longest: usize) -> Vec<Line> {
        let (sender, mut lines) = mpsc::channel(1);
        tokio::spawn(read(input, longest, sender));
        let mut all = Vec::new();
        while let Some(line) = lines.recv().await {
            all.push(line);
        }
        all
    }

    fn text(text: &str) -> Line {
        Line::Text(text.as_bytes().to_vec())
    }

    #[tokio::test]
    async fn a_line_ends_where_it_ends() {
        assert_eq!(lines(b"a\n\nbc\r\nd", 9).await, [text("a"), text(""), text("bc\r"), text("d")]);
        assert_eq!(lines(b"", 9).await, []);
    }

    #[tokio::test]
    async fn a_long_line_is_passed_over_and_the_next_is_not() {
        assert_eq!(
            lines(b"12345\n123456\n1\n1234567", 5).await,
            [text("12345"), Line::TooLong, text("1"), Line::TooLong]
        );
    }

    #[tokio::test]
    async fn nothing_of_a_long_line_is_held() {
        let long: &'static [u8] = vec![b'x'; 1 << 20].leak();
        assert_eq!(lines(long, 1 << 10).await, [Line::TooLong]);
    }
}
