//! The pages that users see.
//!
//! Every page works without JavaScript, and has neither script nor style in it.

use askama::Template;
use axum::{
    http::{HeaderName, StatusCode, header},
    response::{Html, IntoResponse, Response},
};

use crate::{Scope, server::ListedGrant, upstream::Provider};

/// There is no `form-action` on purpose: Chromium applies it to every redirect that follows the
/// submission of a form, and these forms end in a redirect to the client, whose URI can be anything
/// that was registered. `default-src` does not stand in for it (CSP 3, section 6.4.1).
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; \
    img-src 'self' data:; base-uri 'none'; frame-ancestors 'none'";

const HEADERS: [(HeaderName, &str); 6] = [
    (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
    // For browsers that do not know frame-ancestors (RFC 9700, section 4.16).
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::CACHE_CONTROL, "no-store"),
    // The URLs of these pages have a state in them.
    (header::REFERRER_POLICY, "no-referrer"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (HeaderName::from_static("permissions-policy"), "camera=(), geolocation=(), microphone=()"),
];

/// What every page needs to know of the server.
#[derive(Clone, Copy)]
pub(crate) struct Site<'a> {
    /// The path of the issuer, which all links begin with.
    pub(crate) base: &'a str,
    /// What the user gives access to.
    pub(crate) service: &'a str,
}

/// Asks the user whether a client may have what it asks for.
#[derive(Template)]
#[template(path = "consent.html")]
pub(crate) struct ConsentPage<'a> {
    pub(crate) site: Site<'a>,
    /// The host of its `client_id`, if that is the URL of a document.
    pub(crate) client_host: Option<&'a str>,
    pub(crate) client_name: &'a str,
    pub(crate) destination: &'a crate::redirect_uri::Destination,
    pub(crate) redirect_uri: &'a str,
    /// Where the user is sent to sign in, if that is not here.
    pub(crate) provider: Option<&'a Provider>,
    pub(crate) resource: &'a str,
    pub(crate) scopes: &'a [Scope],
    /// The request, to be sent back unchanged.
    pub(crate) request: &'a str,
    /// Says that this browser was shown this request.
    pub(crate) signature: &'a str,
}

/// The page of the provider that stands in for a real one.
#[derive(Template)]
#[template(path = "fake_upstream.html")]
pub(crate) struct FakeUpstreamPage<'a> {
    pub(crate) site: Site<'a>,
    pub(crate) state: &'a str,
    /// A new user id, for those who have none.
    pub(crate) suggestion: &'a str,
}

/// Says why a client gets nothing, and lets the user decide about going back to its site.
#[derive(Template)]
#[template(path = "refused.html")]
pub(crate) struct RefusedPage<'a> {
    pub(crate) site: Site<'a>,
    pub(crate) why: &'a str,
    /// Of the client's site.
    pub(crate) host: &'a str,
    /// The URL that tells the client.
    pub(crate) back: &'a str,
}

/// Says what went wrong, to a user who cannot be sent back to where they came from.
#[derive(Template)]
#[template(path = "error.html")]
pub(crate) struct ErrorPage<'a> {
    pub(crate) site: Site<'a>,
    pub(crate) what: &'a str,
    pub(crate) advice: &'a str,
    /// Whether they came from the account page.
    pub(crate) to_account: bool,
}

/// Where a user signs in to see their grants.
#[derive(Template)]
#[template(path = "account_sign_in.html")]
pub(crate) struct AccountSignInPage<'a> {
    pub(crate) site: Site<'a>,
    /// Says that this browser was shown this form.
    pub(crate) signature: &'a str,
}

/// What a user granted.
#[derive(Template)]
#[template(path = "account.html")]
pub(crate) struct AccountPage<'a> {
    pub(crate) site: Site<'a>,
    pub(crate) user: &'a str,
    pub(crate) grants: &'a [ListedGrant],
    /// Whether there are more than those.
    pub(crate) are_more: bool,
    /// Says that the forms are of this user's session.
    pub(crate) signature: &'a str,
}

/// Where a user signs in to see what goes on in their sessions.
#[derive(Template)]
#[template(path = "status_sign_in.html")]
pub(crate) struct StatusSignInPage<'a> {
    pub(crate) site: Site<'a>,
    /// Says that this browser was shown this form.
    pub(crate) signature: &'a str,
}

/// Where a user signs in to be asked something.
#[derive(Template)]
#[template(path = "elicitation_sign_in.html")]
pub(crate) struct ElicitationSignInPage<'a> {
    pub(crate) site: Site<'a>,
    pub(crate) id: &'a str,
    /// Says that this browser was shown this form.
    pub(crate) signature: &'a str,
}

/// Asks a user what must not pass through a client.
#[derive(Template)]
#[template(path = "elicitation.html")]
pub(crate) struct ElicitationPage<'a> {
    pub(crate) site: Site<'a>,
    /// Who is signed in, where anybody is.
    pub(crate) user: Option<&'a str>,
    /// What the client that has the user asked calls itself.
    pub(crate) client: Option<&'a str>,
    /// Its words.
    pub(crate) message: &'a str,
    pub(crate) id: &'a str,
    /// Says that this browser and this user were shown this form.
    pub(crate) signature: &'a str,
}

/// Says what came of it.
#[derive(Template)]
#[template(path = "elicitation_over.html")]
pub(crate) struct ElicitationOverPage<'a> {
    pub(crate) site: Site<'a>,
    /// Whether the user has answered; if not, they have refused.
    pub(crate) completed: bool,
}

/// Renders a page with the headers that all of them have.
pub(crate) fn respond(status: StatusCode, page: &impl Template) -> Response {
    match page.render() {
        Ok(html) => (status, HEADERS, Html(html)).into_response(),
        // Writing to a string fails only if a template says so, and none does.
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::redirect_uri::Destination;

    const SITE: Site<'_> = Site { base: "/base", service: "Test Server" };

    fn consent(client_name: &str) -> String {
        consent_before(client_name, None)
    }

    fn consent_before(client_name: &str, provider: Option<&Provider>) -> String {
        let page = ConsentPage {
            site: SITE,
            client_host: None,
            client_name,
            destination: &Destination::Host("client.example".into()),
            redirect_uri: "https://client.example/call?a=b",
            provider,
            resource: "https://server.example/mcp",
            scopes: &[Scope::Read],
            request: "a=1&b=\"",
            signature: "s",
        };
        page.render().unwrap()
    }

    fn elicitation(message: &str) -> String {
        let page = ElicitationPage {
            site: SITE,
            user: Some("alice"),
            client: Some("A <b>Program</b>"),
            message,
            id: "an-id",
            signature: "s",
        };
        page.render().unwrap()
    }

    fn all() -> [String; 12] {
        let fake = FakeUpstreamPage { site: SITE, state: "st", suggestion: "id" };
        let error = ErrorPage { site: SITE, what: "What", advice: "Advice", to_account: false };
        let refused = RefusedPage { site: SITE, why: "why", host: "h.example", back: "https://h" };
        let sign_in = AccountSignInPage { site: SITE, signature: "s" };
        let account = |grants| {
            let page =
                AccountPage { site: SITE, user: "u", grants, are_more: true, signature: "s" };
            page.render().unwrap()
        };
        let over = |completed| ElicitationOverPage { site: SITE, completed }.render().unwrap();
        let asked = ElicitationSignInPage { site: SITE, id: "an-id", signature: "s" };
        [
            elicitation("?"),
            over(true),
            over(false),
            asked.render().unwrap(),
            StatusSignInPage { site: SITE, signature: "s" }.render().unwrap(),
            consent("C"),
            fake.render().unwrap(),
            error.render().unwrap(),
            refused.render().unwrap(),
            sign_in.render().unwrap(),
            account(&[]),
            account(&[ListedGrant::example()]),
        ]
    }

    #[test]
    fn what_clients_say_of_themselves_is_escaped() {
        let html = consent("<script>alert('1')</script>\"&");
        assert!(!html.contains("<script>alert"), "{html}");
        assert!(html.contains("&#60;script&#62;alert"), "{html}");
        assert!(html.contains("a=1&#38;b=&#34;"), "{html}");
    }

    #[test]
    fn what_a_program_asks_is_escaped() {
        let html = elicitation("<a href='https://evil.example'>Click</a>");
        assert!(!html.contains("<a href") && !html.contains("<b>"), "{html}");
        assert!(html.contains("&#60;a href=&#39;https://evil.example&#39;&#62;Click"), "{html}");
        assert!(html.contains("<code>alice</code>"), "{html}");
    }

    #[test]
    fn consent_says_who_gets_what_and_where() {
        let html = consent("Some Client");
        for said in [
            "Some Client",
            "https://client.example/call?a=b",
            "Test Server",
            Scope::Read.in_words(),
        ] {
            assert!(html.contains(said), "{said}: {html}");
        }
        assert!(!html.contains(Scope::Tools.in_words()), "it was not asked for");
    }

    #[test]
    fn a_real_provider_is_announced() {
        assert!(!consent("C").contains("sign in at"), "it would be this server's own page");
        let host = "login.example".to_owned();
        let scopes = vec!["openid".to_owned(), "<email>".to_owned()];
        let html = consent_before("C", Some(&Provider { host: host.clone(), scopes }));
        for said in ["<strong>login.example</strong>", "openid", "&#60;email&#62;"] {
            assert!(html.contains(said), "{said}: {html}");
        }
        let html = consent_before("C", Some(&Provider { host, scopes: Vec::new() }));
        assert!(html.contains("nothing but who you are"), "{html}");
    }

    #[test]
    fn no_page_has_script_or_style_in_it() {
        for html in all() {
            assert!(!html.contains("<style") && !html.contains("style="), "{html}");
            assert!(!html.contains("onclick") && !html.contains("onsubmit"), "{html}");
            for tag in html.split("<script").skip(1) {
                assert!(tag.starts_with(" src=\"/base/auth-assets/"), "{tag}");
                assert!(tag.contains("></script>"), "{tag}");
            }
        }
    }

    #[test]
    fn every_page_can_be_read_aloud_and_on_a_phone() {
        for html in all() {
            assert!(html.contains("<html lang=\"en\">"), "{html}");
            assert!(html.contains("name=\"viewport\""), "{html}");
            assert!(html.contains("<main>") && html.contains("<h1>"), "{html}");
            assert!(html.contains("href=\"/base/auth-assets/auth.css\""), "{html}");
        }
    }

    #[test]
    fn the_headers_let_the_form_lead_back_to_the_client() {
        let page = ErrorPage { site: SITE, what: "What", advice: "Advice", to_account: false };
        let response = respond(StatusCode::BAD_REQUEST, &page);
        let header = |name: HeaderName| response.headers()[name].to_str().unwrap();
        let policy = header(header::CONTENT_SECURITY_POLICY);
        assert!(!policy.contains("form-action"), "{policy}");
        assert!(!policy.contains("unsafe"), "{policy}");
        for directive in ["default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'"] {
            assert!(policy.contains(directive), "{policy}");
        }
        assert_eq!(header(header::CACHE_CONTROL), "no-store");
        assert_eq!(header(header::REFERRER_POLICY), "no-referrer");
        assert_eq!(header(header::X_FRAME_OPTIONS), "DENY");
        assert_eq!(header(header::CONTENT_TYPE), "text/html; charset=utf-8");
    }
}
