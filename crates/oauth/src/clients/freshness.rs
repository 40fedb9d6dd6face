//! How long what was fetched is good (RFC 9111, section 4.2), within bounds of our own, as the
//! draft allows (section 5.2).

use std::time::Duration;

use reqwest::header::{AGE, CACHE_CONTROL, DATE, EXPIRES, HeaderMap, HeaderName};

/// So that one sign-in, which asks for a client several times, fetches once.
pub(super) const SHORTEST: Duration = Duration::from_secs(60);
/// So that a client that changes its document is known by it in this time.
pub(super) const LONGEST: Duration = Duration::from_secs(60 * 60);
/// Where a host says nothing.
const UNSAID: Duration = Duration::from_secs(5 * 60);

/// How long an answer with these headers is kept.
pub(super) fn life(headers: &HeaderMap) -> Duration {
    said(headers).unwrap_or(UNSAID).clamp(SHORTEST, LONGEST)
}

/// What the headers say to a cache that many share. What cannot be read is stale (section 4.2.1).
fn said(headers: &HeaderMap) -> Option<Duration> {
    let mut directives = Vec::new();
    for value in headers.get_all(CACHE_CONTROL) {
        directives.extend(value.to_str().unwrap_or_default().split(',').map(str::trim));
    }
    let value_of = |name: &str| {
        directives.iter().find_map(|directive| {
            let (found, value) = directive.split_once('=').unwrap_or((directive, ""));
            found.trim().eq_ignore_ascii_case(name).then(|| value.trim().trim_matches('"'))
        })
    };
    if ["no-store", "no-cache", "private"].into_iter().any(|name| value_of(name).is_some()) {
        return Some(Duration::ZERO);
    }
    let total = match value_of("s-maxage").or_else(|| value_of("max-age")) {
        Some(seconds) => Duration::from_secs(seconds.parse().unwrap_or(0)),
        None => until(headers)?,
    };
    let age = text(headers, &AGE).and_then(|age| age.trim().parse().ok()).unwrap_or(0);
    Some(total.saturating_sub(Duration::from_secs(age)))
}

/// From `Date` to `Expires`.
fn until(headers: &HeaderMap) -> Option<Duration> {
    let expires = text(headers, &EXPIRES)?;
    let time = |text: &str| httpdate::parse_http_date(text).ok();
    let (date, expires) = (text(headers, &DATE).and_then(time), time(expires));
    let left = date.zip(expires).and_then(|(date, expires)| expires.duration_since(date).ok());
    Some(left.unwrap_or_default())
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_host_says_within_bounds() {
        const DAY: &str = "Thu, 26 Nov 2026 08:00:00 GMT";
        for (headers, seconds) in [
            (&[][..], 300),
            (&[("cache-control", "max-age=600")], 600),
            (&[("cache-control", "public, MAX-AGE=\"600\"")], 600),
            (&[("cache-control", "max-age=600, s-maxage=900")], 900),
            (&[("cache-control", "public"), ("cache-control", "max-age=700")], 700),
            (&[("cache-control", "max-age=600"), ("age", "100")], 500),
            (&[("cache-control", "max-age=600"), ("age", "700")], 60),
            (&[("cache-control", "max-age=600"), ("age", "-1")], 600),
            (&[("cache-control", "max-age=1")], 60),
            (&[("cache-control", "max-age=86400")], 3600),
            (&[("cache-control", "max-age=99999999999999999999")], 60),
            (&[("cache-control", "max-age=-5")], 60),
            (&[("cache-control", "max-age")], 60),
            (&[("cache-control", "no-store, max-age=600")], 60),
            (&[("cache-control", "no-cache")], 60),
            (&[("cache-control", "private, max-age=600")], 60),
            (&[("cache-control", "immutable")], 300),
            (&[("expires", "Thu, 26 Nov 2026 08:10:00 GMT"), ("date", DAY)], 600),
            (&[("expires", "Thu, 26 Nov 2026 07:00:00 GMT"), ("date", DAY)], 60),
            (&[("expires", "Thu, 26 Nov 2026 08:10:00 GMT")], 60),
            (&[("expires", "0"), ("date", DAY)], 60),
            (&[("expires", "Thu, 26 Nov 2026 08:10:00 GMT"), ("cache-control", "max-age=90")], 90),
        ] {
            let mut map = HeaderMap::new();
            for (name, value) in headers {
                map.append(HeaderName::from_static(name), value.parse().unwrap());
            }
            assert_eq!(life(&map), Duration::from_secs(seconds), "{headers:?}");
        }
    }
}
