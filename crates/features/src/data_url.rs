//! `data:` URLs (RFC 2397).

use base64::{
    Engine as _,
    alphabet::STANDARD,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};

/// What browsers take, too: with padding and without.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// What is in a `data:` URL, of which this is what follows the scheme. The error says what is wrong.
pub(crate) fn decode(rest: &str) -> Result<Vec<u8>, &'static str> {
    let (about, data) = rest.split_once(',').ok_or("a data: URL has a comma before its data")?;
    // What follows is a fragment, which is no part of the data (RFC 3986 section 3.5).
    let data = data.split('#').next().unwrap_or_default();
    let bytes = unescape(data).ok_or("a percent sign stands before two hexadecimal digits")?;
    let is_base64 =
        about.rsplit_once(';').is_some_and(|(_, last)| last.trim().eq_ignore_ascii_case("base64"));
    if is_base64 {
        return BASE64.decode(bytes).map_err(|_| "the data is not in base64");
    }
    Ok(bytes)
}

fn unescape(text: &str) -> Option<Vec<u8>> {
    let (mut bytes, mut rest) = (Vec::with_capacity(text.len()), text.bytes());
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => {
                let digit = |byte: Option<u8>| char::from(byte?).to_digit(16);
                let (high, low) = (digit(rest.next())?, digit(rest.next())?);
                u8::try_from(high * 16 + low).ok()?
            }
            _ => byte,
        });
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_data_is_what_it_stands_for() {
        for (url, data) in [
            (",", &b""[..]),
            (",A%20brief%20note", b"A brief note"),
            ("text/plain;charset=utf-8,caf%C3%A9", "caf\u{e9}".as_bytes()),
            ("text/plain;base64,aGk=", b"hi"),
            ("text/plain;charset=utf-8;BASE64,aGk", b"hi"),
            (";base64,%61Gk%3D", b"hi"),
            (",a,b", b"a,b"),
            (",a#b", b"a"),
            ("base64,aGk=", b"aGk="),
            (",%00%ff", b"\0\xff"),
        ] {
            assert_eq!(decode(url).as_deref(), Ok(data), "{url}");
        }
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (url, why) in [
            ("", "comma"),
            ("text/plain;base64", "comma"),
            (",%", "hexadecimal"),
            (",%4", "hexadecimal"),
            (",%zz", "hexadecimal"),
            (";base64,a", "base64"),
            (";base64,a_==", "base64"),
        ] {
            assert!(decode(url).unwrap_err().contains(why), "{url}");
        }
    }
}
