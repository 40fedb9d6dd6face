//! Where a request came from, as the doors before the endpoints left it.

use mcp_everything_features::{Caller, Carrier, Origin, Trace, TraceSpan};
use mcp_everything_store::{Access, Owner};
use mcp_everything_transport::TraceContext;
use rmcp::model::Extensions;

/// The paths of the transport of 2024-11-05.
const HTTP_SSE: [&str; 2] = ["/sse", "/message"];

pub(super) fn origin(extensions: &Extensions) -> Origin {
    let Some(parts) = extensions.get::<http::request::Parts>() else {
        let trace = extensions.get::<TraceContext>().map(trace);
        return Origin { trace, ..Origin::stdio() };
    };
    let is_http_sse = HTTP_SSE.contains(&parts.uri.path());
    let carrier = if is_http_sse { Carrier::HttpSse } else { Carrier::StreamableHttp };
    let scopes = parts
        .extensions
        .get::<mcp_everything_oauth::Caller>()
        .map(|caller| caller.scopes.iter().map(|scope| scope.as_str().to_owned()).collect());
    let caller = parts.extensions.get::<Owner>().map(|Owner { user, issuer, client }| Caller {
        user: user.clone(),
        client_id: known(client),
        issuer: known(issuer),
        scopes,
        expires_at: parts.extensions.get::<Access>().map(|access| access.until.as_millis()),
    });
    let trace = parts.extensions.get::<TraceContext>().map(trace);
    Origin { carrier, caller, trace }
}

fn trace(found: &TraceContext) -> Trace {
    let TraceContext { span, baggage } = found.clone();
    let tracestate = span.as_ref().and_then(|span| span.state.clone());
    let span = span.map(|span| TraceSpan {
        traceparent: span.traceparent(),
        trace_id: span.trace_id,
        span_id: span.span_id,
        parent_id: span.parent_id,
        sampled: span.is_sampled,
    });
    Trace { span, tracestate, baggage }
}

/// The owner of everything, while authentication is off, has a name and nothing else.
fn known(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    fn extensions(path: &str, owner: Owner) -> Extensions {
        let (mut parts, ()) = Request::get(path).body(()).unwrap().into_parts();
        parts.extensions.insert(owner);
        let mut extensions = Extensions::new();
        extensions.insert(parts);
        extensions
    }

    #[test]
    fn each_transport_has_its_paths() {
        let carrier = |path| origin(&extensions(path, Owner::anonymous())).carrier;
        assert_eq!(carrier("/mcp"), Carrier::StreamableHttp);
        assert_eq!(carrier("/message?sessionId=x"), Carrier::HttpSse);
        assert_eq!(origin(&Extensions::new()), Origin::stdio());
    }

    #[test]
    fn whoever_did_not_sign_in_has_no_client() {
        let caller = origin(&extensions("/mcp", Owner::anonymous())).caller.unwrap();
        assert_eq!(caller.user, "anonymous");
        assert_eq!((caller.client_id, caller.issuer, caller.scopes), (None, None, None));
    }
}
