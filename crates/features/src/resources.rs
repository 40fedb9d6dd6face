//! The resources of a server: listed in pages, found by URI.

mod directory;
pub(crate) mod documents;
pub(crate) mod dynamic;
pub(crate) mod numbered;
pub(crate) mod shelved;

use std::collections::HashMap;

use rmcp::{
    ErrorData,
    model::{PaginatedRequestParams, Resource, ResourceContents, ResourceTemplate},
};
use serde_json::json;

use crate::{
    apps,
    completions::Completing,
    error::{BuildError, unknown},
    freshness::Freshness,
    paging::{Page, Paged},
    text::quoted,
    time::ClockHook,
    uri_template::{UriTemplate, Values},
};

/// The longest URI that is looked up, in bytes.
const MAX_URI: usize = 2048;

/// How many resources go on one page.
const PAGE: usize = 10;

/// How many templates go on one page.
const TEMPLATES_PAGE: usize = 5;

/// A resource and what is in it.
pub(crate) struct Entry {
    pub(crate) resource: Resource,
    pub(crate) reading: Reading,
}

/// What is in a resource, and how long that may be kept.
#[derive(Clone)]
pub(crate) struct Reading {
    pub(crate) contents: ResourceContents,
    pub(crate) fresh: Freshness,
}

/// A family of resources whose URIs follow a pattern.
pub(crate) trait Template: Send + Sync {
    /// What clients see of it. The pattern is its `uri_template`.
    fn definition(&self) -> ResourceTemplate;

    /// The resource that is wanted, which is no [`Entry`]'s; `None` if there is none.
    fn read(&self, wanted: &Wanted<'_>) -> Option<Reading>;

    /// What to suggest for one of its variables.
    fn complete(&self, _asked: &Completing<'_>) -> Vec<String> {
        Vec::new()
    }
}

/// A URI that follows the pattern of a template.
pub(crate) struct Wanted<'a> {
    pub(crate) uri: &'a str,
    /// The variables' values in it.
    pub(crate) values: Values<'a>,
    /// What time it is, in milliseconds since the Unix epoch.
    pub(crate) now: u64,
}

/// Resources and templates, each in the order they are listed.
#[derive(Default)]
pub(crate) struct Collection {
    pub(crate) entries: Vec<Entry>,
    pub(crate) templates: Vec<Box<dyn Template>>,
}

/// The resources a user sees, with what clients are told with the handshake and what there is.
pub(crate) fn entries(instructions: &str, features: &str) -> Vec<Entry> {
    let documents = documents::all(instructions, features);
    numbered::all().into_iter().chain(documents).chain(apps::all()).collect()
}

/// The templates a user sees.
pub(crate) fn templates() -> Vec<Box<dyn Template>> {
    vec![
        Box::new(numbered::Numbered),
        Box::new(dynamic::Texts),
        Box::new(dynamic::Blobs),
        Box::new(directory::Person),
        Box::new(directory::Department),
        Box::new(directory::Search),
    ]
}

/// All resources.
pub(crate) struct Resources {
    listed: Paged<Resource>,
    templates: Paged<ResourceTemplate>,
    readings: HashMap<String, Reading>,
    families: Vec<Family>,
    clock: ClockHook,
}

struct Family {
    uri_template: String,
    pattern: UriTemplate,
    template: Box<dyn Template>,
}

impl Resources {
    /// `pinned` stand on the first page of their lists.
    pub(crate) fn new(
        pinned: Collection,
        others: Collection,
        clock: ClockHook,
    ) -> Result<Self, BuildError> {
        let (mut readings, mut families) = (HashMap::new(), Vec::new());
        let mut take = |Collection { entries, templates }: Collection| {
            let keep = |Entry { resource, reading }| {
                readings.insert(resource.uri.clone(), reading);
                resource
            };
            let entries: Vec<Resource> = entries.into_iter().map(keep).collect();
            let mut definitions = Vec::new();
            for template in templates {
                let definition = template.definition();
                let uri_template = definition.uri_template.clone();
                let pattern = UriTemplate::parse(&uri_template).map_err(|reason| {
                    BuildError::Template { template: uri_template.clone(), reason }
                })?;
                families.push(Family { uri_template, pattern, template });
                definitions.push(definition);
            }
            Ok::<_, BuildError>((entries, definitions))
        };
        let (pinned, pinned_templates) = take(pinned)?;
        let (listed, listed_templates) = take(others)?;
        Ok(Self {
            listed: Paged { pinned, listed, size: PAGE, fresh: Freshness::OWN },
            templates: Paged {
                pinned: pinned_templates,
                listed: listed_templates,
                size: TEMPLATES_PAGE,
                fresh: Freshness::WITH_VERSION,
            },
            readings,
            families,
            clock,
        })
    }

    /// A page of the list, which ends with the caller's own.
    pub(crate) fn page(
        &self,
        request: Option<&PaginatedRequestParams>,
        own: &[Resource],
    ) -> Result<Page<Resource>, ErrorData> {
        self.listed.page_with(request, own)
    }

    /// A page of the list of templates.
    pub(crate) fn templates_page(
        &self,
        request: Option<&PaginatedRequestParams>,
    ) -> Result<Page<ResourceTemplate>, ErrorData> {
        self.templates.page(request)
    }

    /// The URI templates, in the order they are listed.
    pub(crate) fn uri_templates(&self) -> impl Iterator<Item = &str> {
        self.families.iter().map(|family| &*family.uri_template)
    }

    /// What is in a resource, or the error that there is none (Resources, Error Handling).
    pub(crate) fn read(&self, uri: &str) -> Result<Reading, ErrorData> {
        if uri.len() > MAX_URI {
            return Err(ErrorData::invalid_params(
                format!("uri is longer than {MAX_URI} bytes"),
                None,
            ));
        }
        let expanded = || {
            let now = (self.clock)();
            self.families.iter().find_map(|Family { pattern, template, .. }| {
                let values = pattern.matches(uri)?;
                template.read(&Wanted { uri, values, now })
            })
        };
        self.readings.get(uri).cloned().or_else(expanded).ok_or_else(|| not_found(uri))
    }

    pub(crate) fn exists(&self, uri: &str) -> bool {
        self.read(uri).is_ok()
    }

    /// What to suggest for a variable of the template `uri`.
    pub(crate) fn complete(
        &self,
        uri: &str,
        asked: &Completing<'_>,
    ) -> Result<Vec<String>, ErrorData> {
        let family = self.families.iter().find(|each| each.uri_template == uri);
        let family = family.ok_or_else(|| unknown("resource template", uri))?;
        let known = family.pattern.variables().any(|variable| variable == asked.argument);
        known
            .then(|| family.template.complete(asked))
            .ok_or_else(|| unknown("argument", asked.argument))
    }
}

/// The error that there is no resource of this URI.
pub(crate) fn not_found(uri: &str) -> ErrorData {
    ErrorData::resource_not_found(
        format!("Unknown resource: {}", quoted(uri)),
        Some(json!({ "uri": uri })),
    )
}

/// What a user sees, for tests.
#[cfg(test)]
pub(crate) fn seen() -> Resources {
    let others = Collection { entries: entries("", ""), templates: templates() };
    let now = || 1_767_225_600_000; // 2026-01-01T00:00:00Z
    Resources::new(Collection::default(), others, std::sync::Arc::new(now)).expect("templates")
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use rmcp::model::ErrorCode;

    use super::*;

    #[test]
    fn unknown_uris_are_not_found_and_named() {
        for uri in ["", "test://static/resource/101", "test://static/resource/01", "file:///etc"] {
            let error = seen().read(uri).err().unwrap();
            assert_eq!(error.code, ErrorCode::RESOURCE_NOT_FOUND, "{uri}");
            assert_eq!(error.data, Some(json!({ "uri": uri })));
        }
    }

    #[test]
    fn endless_uris_are_not_repeated() {
        let error = seen().read(&"x".repeat(MAX_URI + 1)).err().unwrap();
        assert_eq!(error.code, ErrorCode::INVALID_PARAMS);
        assert_eq!(error.data, None);
    }

    #[test]
    fn a_template_that_is_none_stops_the_start() {
        struct Broken;

        impl Template for Broken {
            fn definition(&self) -> ResourceTemplate {
                ResourceTemplate::new("demo://{", "Broken")
            }

            fn read(&self, _: &Wanted<'_>) -> Option<Reading> {
                None
            }
        }

        let broken = Collection { templates: vec![Box::new(Broken)], ..Collection::default() };
        let error = Resources::new(Collection::default(), broken, Arc::new(|| 0)).err();
        assert!(matches!(error, Some(BuildError::Template { .. })), "{error:?}");
    }

    #[test]
    fn each_says_what_it_is() {
        let fixtures = crate::conformance::resources();
        for Entry { resource, .. } in entries("", "").iter().chain(&fixtures.entries) {
            assert!(resource.title.is_some() && resource.description.is_some(), "{resource:?}");
            assert!(resource.icons.is_some() && resource.mime_type.is_some(), "{resource:?}");
        }
        for template in templates().iter().chain(&fixtures.templates) {
            let template = template.definition();
            assert!(template.title.is_some() && template.description.is_some(), "{template:?}");
            assert!(template.icons.is_some(), "{template:?}");
        }
    }
}
