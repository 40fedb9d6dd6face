//! The resources of a server: listed in pages, found by URI.

pub(crate) mod documents;
pub(crate) mod dynamic;
pub(crate) mod numbered;

use std::collections::HashMap;

use rmcp::{
    ErrorData,
    model::{PaginatedRequestParams, Resource, ResourceContents, ResourceTemplate},
};
use serde_json::json;

use crate::{error::unknown, paging, text::quoted, time::ClockHook};

/// The longest URI that is looked up, in bytes.
const MAX_URI: usize = 2048;

/// A resource and what is in it.
pub(crate) struct Entry {
    pub(crate) resource: Resource,
    pub(crate) contents: ResourceContents,
}

/// A family of resources whose URIs follow a pattern.
pub(crate) struct Template {
    pub(crate) definition: ResourceTemplate,
    /// The resource of a URI at this time, in milliseconds since the Unix epoch, if the URI follows
    /// the pattern and is not an [`Entry`]'s.
    pub(crate) expand: fn(&str, u64) -> Option<ResourceContents>,
    /// The values to suggest for a variable, if the pattern has it.
    pub(crate) candidates: fn(&str) -> Option<&'static [&'static str]>,
}

/// All resources.
pub(crate) struct Resources {
    /// What stands before the others on the first page, whatever the size of a page.
    pinned: Vec<Resource>,
    listed: Vec<Resource>,
    templates: Vec<Template>,
    contents: HashMap<String, ResourceContents>,
    clock: ClockHook,
}

impl Resources {
    pub(crate) fn new(
        pinned: Vec<Entry>,
        listed: Vec<Entry>,
        templates: Vec<Template>,
        clock: ClockHook,
    ) -> Self {
        let mut contents = HashMap::new();
        let mut keep = |entries: Vec<Entry>| -> Vec<Resource> {
            let take = |Entry { resource, contents: inside }| {
                contents.insert(resource.uri.clone(), inside);
                resource
            };
            entries.into_iter().map(take).collect()
        };
        Self { pinned: keep(pinned), listed: keep(listed), templates, contents, clock }
    }

    /// A page of the list, and the cursor of the next.
    pub(crate) fn list(
        &self,
        request: Option<&PaginatedRequestParams>,
    ) -> Result<(Vec<Resource>, Option<String>), ErrorData> {
        let (range, next) = paging::page(request, self.listed.len())?;
        let pinned = if range.start == 0 { self.pinned.as_slice() } else { &[] };
        Ok((pinned.iter().chain(&self.listed[range]).cloned().collect(), next))
    }

    pub(crate) fn templates(&self) -> Vec<ResourceTemplate> {
        self.templates.iter().map(|template| template.definition.clone()).collect()
    }

    /// What is in a resource, or the error that there is none (Resources, Error Handling).
    pub(crate) fn read(&self, uri: &str) -> Result<ResourceContents, ErrorData> {
        if uri.len() > MAX_URI {
            return Err(ErrorData::invalid_params(
                format!("uri is longer than {MAX_URI} bytes"),
                None,
            ));
        }
        let expanded = || {
            let now = (self.clock)();
            self.templates.iter().find_map(|template| (template.expand)(uri, now))
        };
        self.contents.get(uri).cloned().or_else(expanded).ok_or_else(|| {
            ErrorData::resource_not_found(
                format!("Unknown resource: {}", quoted(uri)),
                Some(json!({ "uri": uri })),
            )
        })
    }

    pub(crate) fn exists(&self, uri: &str) -> bool {
        self.read(uri).is_ok()
    }

    /// The values to suggest for a variable of the template `uri`.
    pub(crate) fn candidates(
        &self,
        uri: &str,
        variable: &str,
    ) -> Result<&'static [&'static str], ErrorData> {
        let template = self.templates.iter().find(|each| each.definition.uri_template == uri);
        let template = template.ok_or_else(|| unknown("resource template", uri))?;
        (template.candidates)(variable).ok_or_else(|| unknown("argument", variable))
    }
}

#[cfg(test)]
mod tests {
    use rmcp::model::ErrorCode;

    use super::*;

    fn resources() -> Resources {
        let clock = std::sync::Arc::new(|| 0);
        Resources::new(Vec::new(), numbered::all(), vec![numbered::template()], clock)
    }

    #[test]
    fn unknown_uris_are_not_found_and_named() {
        for uri in ["", "test://static/resource/101", "test://static/resource/01", "file:///etc"] {
            let error = resources().read(uri).unwrap_err();
            assert_eq!(error.code, ErrorCode::RESOURCE_NOT_FOUND, "{uri}");
            assert_eq!(error.data, Some(json!({ "uri": uri })));
        }
    }

    #[test]
    fn endless_uris_are_not_repeated() {
        let error = resources().read(&"x".repeat(MAX_URI + 1)).unwrap_err();
        assert_eq!(error.code, ErrorCode::INVALID_PARAMS);
        assert_eq!(error.data, None);
    }
}
