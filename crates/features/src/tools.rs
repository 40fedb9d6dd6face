//! The tools a user sees, one file each.

mod add;
mod annotated_message;
mod dynamic_tool;
mod echo;
mod elicit_inputs;
mod get_all_content;
mod get_env;
mod get_resource_links;
mod get_resource_reference;
mod get_roots_list;
mod get_structured_content;
mod get_tiny_audio;
mod get_tiny_image;
mod gzip_file_as_resource;
mod long_running_operation;
mod mcp_apps_hello_world;
mod sample_llm;
mod sample_llm_with_tools;
mod simulate_research_query;
mod toggle_dynamic_prompt;
mod toggle_dynamic_tool;
mod toggle_simulated_logging;
mod toggle_subscriber_updates;
mod trigger_elicitation_request_async;
mod trigger_sampling_request_async;
mod trigger_url_elicitation;
mod update_document;
mod whoami;

use crate::registry::Candidate;

/// All of them, in the order they are listed. The first twenty are all that clients see which
/// follow no cursor: the best known, in the order they always had.
pub(crate) fn all() -> Vec<Candidate> {
    vec![
        Candidate::new(echo::Echo),
        Candidate::new(add::Add),
        Candidate::new(long_running_operation::LongRunningOperation),
        Candidate::new(sample_llm::SampleLlm),
        Candidate::new(get_tiny_image::GetTinyImage),
        Candidate::new(annotated_message::AnnotatedMessage),
        Candidate::new(get_resource_reference::GetResourceReference),
        Candidate::new(get_resource_links::GetResourceLinks),
        Candidate::new(get_structured_content::GetStructuredContent),
        Candidate::new(get_tiny_audio::GetTinyAudio),
        Candidate::new(get_all_content::GetAllContent),
        Candidate::new(get_env::GetEnv),
        Candidate::new(mcp_apps_hello_world::McpAppsHelloWorld::default()),
        Candidate::new(elicit_inputs::ElicitInputs),
        Candidate::new(get_roots_list::GetRootsList),
        Candidate::new(simulate_research_query::SimulateResearchQuery),
        Candidate::new(trigger_sampling_request_async::TriggerSamplingRequestAsync),
        Candidate::new(trigger_elicitation_request_async::TriggerElicitationRequestAsync),
        Candidate::new(whoami::Whoami),
        Candidate::new(sample_llm_with_tools::SampleLlmWithTools),
        Candidate::new(trigger_url_elicitation::TriggerUrlElicitation),
        Candidate::new(update_document::UpdateDocument),
        Candidate::new(gzip_file_as_resource::GzipFileAsResource::default()),
        Candidate::new(toggle_dynamic_tool::ToggleDynamicTool),
        Candidate::new(toggle_dynamic_prompt::ToggleDynamicPrompt),
        Candidate::new(toggle_simulated_logging::ToggleSimulatedLogging),
        Candidate::new(toggle_subscriber_updates::ToggleSubscriberUpdates),
        Candidate::new(dynamic_tool::DynamicTool),
    ]
}
