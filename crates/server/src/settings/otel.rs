//! Where traces are sent, and which. The names are OpenTelemetry's ("Environment Variable
//! Specification", "OTLP Exporter Configuration"), and so is what they mean.

use std::{fmt, time::Duration};

use percent_encoding::percent_decode_str;
use url::Url;

use super::{
    Problem, RawSettings,
    read::{Reader, given, list},
};

/// What a server is called that is given no name.
pub(super) const NAME: &str = "mcp-everything";
/// Which traces are kept where nothing is said of it.
pub(super) const USUAL: &str = "parentbased_always_on";
const TIMEOUT: Duration = Duration::from_secs(10);

/// Where traces are sent and how.
#[derive(Clone)]
pub(crate) struct Exported {
    /// As it was given: without the path of the signal.
    pub(crate) endpoint: String,
    /// Secrets, for all that is known.
    pub(crate) headers: Headers,
    pub(crate) timeout: Duration,
    pub(crate) service: String,
    pub(crate) attributes: Vec<(String, String)>,
    pub(crate) kept: Kept,
    /// Whether what a caller says counts for more.
    pub(crate) parent_based: bool,
}

/// What goes with every request to the collector.
#[derive(Clone)]
pub(crate) struct Headers(pub(crate) Vec<(String, String)>);

impl fmt::Debug for Headers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Headers")
    }
}

/// Which traces are kept.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Kept {
    All,
    None,
    /// This share of them.
    Share(f64),
}

/// `None` if nothing is exported. What else is set then is right or wrong all the same, and does
/// nothing: machines set it for all their programs.
pub(super) fn traces(reader: &mut Reader, raw: &RawSettings) -> Option<Exported> {
    let takes = "the http or https URL of a collector, such as http://localhost:4318";
    let endpoint = raw.otel_exporter_otlp_endpoint.as_deref();
    let endpoint = reader
        .read("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint, None, takes, |text| url(text).map(Some));
    let headers = headers(reader, raw.otel_exporter_otlp_headers.as_deref());
    let takes = "a number of milliseconds from 1 to 600000";
    let timeout = raw.otel_exporter_otlp_timeout.as_deref();
    let timeout = reader.read("OTEL_EXPORTER_OTLP_TIMEOUT", timeout, TIMEOUT, takes, |text| {
        let millis = text.parse().ok().filter(|millis| (1..=600_000).contains(millis));
        millis.map(Duration::from_millis)
    });
    let takes = "names and values such as deployment.environment.name=test, separated by commas";
    let attributes = raw.otel_resource_attributes.as_deref();
    let attributes = reader.read("OTEL_RESOURCE_ATTRIBUTES", attributes, Vec::new(), takes, pairs);
    let (parent_based, share) = sampler(reader, raw.otel_traces_sampler.as_deref());
    let takes = "a number from 0 to 1";
    let argument = raw.otel_traces_sampler_arg.as_deref();
    let argument = reader.read("OTEL_TRACES_SAMPLER_ARG", argument, 1.0, takes, |text| {
        text.parse().ok().filter(|share| (0.0..=1.0).contains(share))
    });
    Some(Exported {
        endpoint: endpoint?,
        headers,
        timeout,
        service: given(raw.otel_service_name.as_deref()).unwrap_or(NAME).to_owned(),
        attributes,
        kept: share.unwrap_or(Kept::Share(argument)),
        parent_based,
    })
}

fn url(text: &str) -> Option<String> {
    let url = Url::parse(text).ok()?;
    let plain = url.query().is_none() && url.fragment().is_none();
    // What is in it is shown and logged.
    let open = url.username().is_empty() && url.password().is_none();
    let good = matches!(url.scheme(), "http" | "https") && url.has_host() && plain && open;
    good.then(|| text.trim_end_matches('/').to_owned())
}

fn headers(reader: &mut Reader, text: Option<&str>) -> Headers {
    let Some(text) = given(text) else { return Headers(Vec::new()) };
    let headers = pairs(text).filter(|pairs| {
        pairs.iter().all(|(name, value)| {
            http::HeaderName::try_from(name).is_ok() && http::HeaderValue::try_from(value).is_ok()
        })
    });
    Headers(headers.unwrap_or_else(|| {
        let takes = "it takes headers such as authorization=Bearer%20abc, separated by commas";
        reader.0.push(Problem::secret("OTEL_EXPORTER_OTLP_HEADERS", takes));
        Vec::new()
    }))
}

/// Names and values as the header `baggage` has them (W3C Baggage).
fn pairs(text: &str) -> Option<Vec<(String, String)>> {
    let pair = |item: &str| {
        let (name, value) = item.split_once('=')?;
        let [name, value] = [name, value].map(str::trim);
        let value = percent_decode_str(value).decode_utf8().ok()?;
        (!name.is_empty()).then(|| (name.to_owned(), value.into_owned()))
    };
    list(text).map(pair).collect()
}

/// Whether callers count for more, and what is kept, or `None` for a share of it.
fn sampler(reader: &mut Reader, text: Option<&str>) -> (bool, Option<Kept>) {
    let takes = "always_on, always_off or traceidratio, each perhaps with parentbased_ before it";
    let usual = (true, Some(Kept::All));
    reader.read("OTEL_TRACES_SAMPLER", text, usual, takes, |text| {
        let plain = text.strip_prefix("parentbased_");
        let kept = match plain.unwrap_or(text) {
            "always_on" => Some(Kept::All),
            "always_off" => Some(Kept::None),
            "traceidratio" => None,
            _ => return None,
        };
        Some((plain.is_some(), kept))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::{Role, Settings};

    fn read(change: impl FnOnce(&mut RawSettings)) -> Option<Exported> {
        let mut raw = RawSettings {
            otel_exporter_otlp_endpoint: Some("http://localhost:4318/".to_owned()),
            ..RawSettings::default()
        };
        change(&mut raw);
        let read = Settings::from_raw(&raw, Role::McpServer);
        read.unwrap_or_else(|problems| panic!("{problems:?}")).traces
    }

    #[test]
    fn without_an_endpoint_nothing_is_exported() {
        let nothing = read(|raw| {
            raw.otel_exporter_otlp_endpoint = None;
            raw.otel_service_name = Some("x".to_owned());
        });
        assert!(nothing.is_none());
        let usual = read(|_| {}).unwrap();
        assert_eq!(usual.endpoint, "http://localhost:4318");
        assert_eq!((usual.service.as_str(), usual.timeout), (NAME, TIMEOUT));
        assert_eq!((usual.kept, usual.parent_based), (Kept::All, true));
    }

    #[test]
    fn what_is_said_the_usual_way_is_understood() {
        let set = read(|raw| {
            raw.otel_exporter_otlp_headers = Some("authorization=Bearer%20abc, x-y = z".to_owned());
            raw.otel_resource_attributes = Some("a.b=c%2Cd,e=".to_owned());
            raw.otel_exporter_otlp_timeout = Some("250".to_owned());
            raw.otel_traces_sampler = Some("parentbased_traceidratio".to_owned());
            raw.otel_traces_sampler_arg = Some("0.25".to_owned());
        });
        let set = set.unwrap();
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(set.headers.0, [pair("authorization", "Bearer abc"), pair("x-y", "z")]);
        assert_eq!(set.attributes, [pair("a.b", "c,d"), pair("e", "")]);
        assert_eq!(set.timeout, Duration::from_millis(250));
        assert_eq!((set.kept, set.parent_based), (Kept::Share(0.25), true));
        let off = read(|raw| raw.otel_traces_sampler = Some("always_off".to_owned())).unwrap();
        assert_eq!((off.kept, off.parent_based), (Kept::None, false));
    }

    #[test]
    fn headers_are_never_shown() {
        let raw = RawSettings {
            otel_exporter_otlp_headers: Some("hush: hush".to_owned()),
            ..RawSettings::default()
        };
        let problems = Settings::from_raw(&raw, Role::McpServer).err().unwrap();
        let told = problems[0].to_string();
        assert!(told.starts_with("OTEL_EXPORTER_OTLP_HEADERS") && !told.contains("hush"), "{told}");
    }
}
