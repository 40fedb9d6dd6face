//! Requests and their answers.

use std::{
    collections::{BTreeSet, HashMap},
    time::Duration,
};

use http::StatusCode;
use mcp_everything_store::Refused;
use prometheus_client::{metrics::counter::Counter, registry::Registry};

use super::{
    durations::Durations,
    family::{Family, Label, label},
};

/// Why this server itself refuses requests, and what is said of refusals that do not say why.
const OWN_REASONS: [&str; 5] =
    ["access_denied", "host_not_allowed", "method_not_allowed", "not_found", OTHER];
const OTHER: &str = "other";

label! {
    /// The method of a request.
    Method = "method" {
        Get = "GET",
        Post = "POST",
        Delete = "DELETE",
        Options = "OPTIONS",
        Head = "HEAD",
        Other = "other",
    }
}

impl Method {
    fn of(method: &http::Method) -> Self {
        Self::ALL.iter().copied().find(|one| one.as_str() == method.as_str()).unwrap_or(Self::Other)
    }
}

label! {
    /// What was asked for: a path, or what paths that belong together begin with.
    Route = "route" {
        Mcp = "/mcp",
        Sse = "/sse",
        Message = "/message",
        Authorize = "/authorize",
        Token = "/token",
        Register = "/register",
        Revoke = "/revoke",
        Introspect = "/introspect",
        Jwks = "/jwks",
        Account = "/account",
        Elicitation = "/elicitation",
        Upstream = "/upstream",
        FakeUpstream = "/fakeupstreamauth",
        WellKnown = "/.well-known",
        Assets = "/auth-assets",
        Splash = "/",
        Health = "/healthz",
        Ready = "/readyz",
        Metrics = "/metrics",
        Status = "/status",
        Other = "other",
    }
}

impl Route {
    /// By the first segment of a path.
    pub(crate) fn of(path: &str) -> Self {
        let end = path.get(1..).and_then(|rest| rest.find('/')).map_or(path.len(), |end| end + 1);
        match path.get(..end).unwrap_or_default() {
            "/mcp" => Self::Mcp,
            "/sse" => Self::Sse,
            "/message" => Self::Message,
            "/authorize" => Self::Authorize,
            "/token" => Self::Token,
            "/register" => Self::Register,
            "/revoke" => Self::Revoke,
            "/introspect" => Self::Introspect,
            "/jwks" => Self::Jwks,
            "/account" => Self::Account,
            "/elicitation" => Self::Elicitation,
            "/upstream" => Self::Upstream,
            "/fakeupstreamauth" => Self::FakeUpstream,
            "/.well-known" => Self::WellKnown,
            "/auth-assets" => Self::Assets,
            "/" | "/splash.css" => Self::Splash,
            "/healthz" => Self::Health,
            "/readyz" => Self::Ready,
            "/metrics" => Self::Metrics,
            "/status" => Self::Status,
            _ => Self::Other,
        }
    }
}

label! {
    /// How it was answered.
    Status = "status" {
        Informational = "1xx",
        Success = "2xx",
        Redirection = "3xx",
        ClientError = "4xx",
        ServerError = "5xx",
        None = "none",
    }
}

impl Status {
    fn of(status: Option<StatusCode>) -> Self {
        match status.map(|status| status.as_u16() / 100) {
            Some(1) => Self::Informational,
            Some(2) => Self::Success,
            Some(3) => Self::Redirection,
            Some(4) => Self::ClientError,
            Some(_) => Self::ServerError,
            None => Self::None,
        }
    }
}

/// The requests of all servers of this process.
#[derive(Debug)]
pub(crate) struct Http {
    requests: Family<Counter, 3>,
    durations: Family<Durations, 1>,
    refusals: Family<Counter, 1>,
    /// The places of the reasons.
    reasons: HashMap<&'static str, usize>,
}

impl Http {
    pub(super) fn new(registry: &mut Registry) -> Self {
        let labels = [Method::label(), Route::label(), Status::label()];
        let requests = Family::touched(labels, Counter::default);
        let durations = Family::touched([Route::label()], Durations::default);
        registry.register(
            "http_requests",
            "HTTP requests that were answered, or given up by their clients (status none)",
            requests.clone(),
        );
        registry.register(
            "http_request_duration_seconds",
            "How long HTTP requests took until the head of their answer",
            durations.clone(),
        );
        let reasons: BTreeSet<_> = mcp_everything_transport::REFUSALS
            .into_iter()
            .chain(mcp_everything_oauth::REFUSALS)
            .chain(OWN_REASONS)
            .collect();
        let refusals = Family::all([Label::new("reason", reasons.iter().copied())]);
        let reasons = reasons.into_iter().zip(0..).collect();
        registry.register(
            "refusals",
            "HTTP requests that were answered with an error, by the reason that the log has",
            refusals.clone(),
        );
        Self { requests, durations, refusals, reasons }
    }

    /// Counts a request that was answered, or whose client hung up before that.
    pub(crate) fn answered(
        &self,
        method: &http::Method,
        path: &str,
        status: Option<StatusCode>,
        refused: Option<Refused>,
        took: Duration,
    ) {
        let (route, is_answered) = (Route::of(path), status.is_some());
        let (method, status) = (Method::of(method), Status::of(status));
        self.requests.at([method as usize, route as usize, status as usize]).inc();
        if is_answered {
            self.durations.at([route as usize]).observe(took);
        }
        // A health check that is red refuses nothing.
        if matches!(status, Status::ClientError | Status::ServerError) && route != Route::Ready {
            let reason = refused.map_or(OTHER, |Refused(reason)| reason);
            let place = self.reasons.get(reason).or_else(|| self.reasons.get(OTHER));
            if let Some(place) = place {
                self.refusals.at([*place]).inc();
            }
        }
    }

    /// How many requests for such routes were answered so.
    pub(crate) fn count(&self, is_it: impl Fn(Route, Status) -> bool) -> u64 {
        let mut count = 0;
        for method in 0..Method::ALL.len() {
            for (route, one) in Route::ALL.iter().enumerate() {
                for (status, other) in Status::ALL.iter().enumerate() {
                    if is_it(*one, *other) {
                        count += self.requests.all_of([method, route, status]).get();
                    }
                }
            }
        }
        count
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_route_is_found_by_its_path() {
        for route in Route::ALL.iter().filter(|route| **route != Route::Other) {
            assert_eq!(Route::of(route.as_str()), *route);
        }
        for (path, route) in [
            ("/fakeupstreamauth/authorize", Route::FakeUpstream),
            ("/.well-known/oauth-protected-resource/mcp", Route::WellKnown),
            ("/elicitation/abc/sign-in", Route::Elicitation),
            ("/splash.css", Route::Splash),
            ("//", Route::Splash),
            ("/mcpx", Route::Other),
            ("/\u{e9}\u{e9}/x", Route::Other),
            ("", Route::Other),
            ("*", Route::Other),
        ] {
            assert_eq!(Route::of(path), route, "{path}");
        }
    }

    #[test]
    fn whatever_a_client_sends_the_labels_are_of_few_values() {
        let http = Http::new(&mut Registry::default());
        for number in 0..1000_u16 {
            let method = http::Method::from_bytes(format!("M{number}").as_bytes()).unwrap();
            let status = StatusCode::from_u16(100 + number % 900).unwrap();
            http.answered(&method, &format!("/{number}"), Some(status), None, Duration::ZERO);
        }
        assert_eq!(http.count(|route, _| route == Route::Other), 1000);
        let places = Method::ALL.len() * Route::ALL.len() * Status::ALL.len();
        assert_eq!(http.requests.len(), places);
        assert!(places < 1000, "{places}");
    }
}
