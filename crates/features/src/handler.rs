//! The requests rmcp hands over, each answered by the module of its feature.

use std::sync::Arc;

use rmcp::{
    ErrorData, RoleServer, ServerHandler,
    model::{
        self, CallToolRequestMethod, CallToolRequestParams, CallToolResponse, CancelTaskMethod,
        CancelTaskParams, CompleteRequestParams, CompleteResult, ConstString, CustomRequest,
        CustomResult, DiscoverResult, GetPromptRequestMethod, GetPromptRequestParams,
        GetPromptResponse, GetPromptResult, GetTaskMethod, GetTaskParams, GetTaskResult,
        Implementation, InitializeRequestParams, InitializeResult, ListPromptsResult,
        ListResourceTemplatesResult, ListResourcesResult, ListToolsResult, LoggingLevel,
        LoggingMessageNotificationParam, PaginatedRequestParams, ReadResourceRequestParams,
        ReadResourceResponse, ReadResourceResult, Reference, ServerConfig, SetLevelRequestMethod,
        SetLevelRequestParams, SubscribeRequestParams, SubscriptionFilter, TASKS_EXTENSION_ID,
        UnsubscribeRequestParams, UpdateTaskMethod, UpdateTaskParams,
    },
    service::{RequestContext, SubscriptionContext},
};
use serde_json::{Value, json};

use crate::{
    apps, completions,
    error::{CallError, failed, unknown},
    everything::{Everything, Repeatable},
    freshness::Freshness,
    listen, lists, notifications,
    resources::{Reading, not_found, shelved},
    tasks::{self, Answer},
    wire::Wire,
};

impl ServerHandler for Everything {
    fn get_info(&self) -> ServerConfig {
        self.shared.config.clone()
    }

    /// The tasks extension is not for the revisions that begin with this (SEP-2663, Capability
    /// Negotiation).
    async fn initialize(
        &self,
        request: InitializeRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<InitializeResult, ErrorData> {
        let mut result = self.negotiate_initialize(&request)?;
        context.peer.set_peer_info(request);
        if let Some(extensions) = &mut result.capabilities.extensions {
            extensions.remove(TASKS_EXTENSION_ID);
        }
        if !lists::knows_icons(&result.protocol_version) {
            let Implementation { name, title, version, .. } = result.server_info;
            result.server_info = Implementation::new(name, version);
            result.server_info.title = title;
        }
        result.capabilities.extensions =
            result.capabilities.extensions.filter(|extensions| !extensions.is_empty());
        Ok(result)
    }

    /// The transport checks `Mcp-Param-*` headers against the schema of the tool named here, before
    /// each call, and looks at nothing else of it: what else there is, is not copied.
    fn get_tool(&self, name: &str) -> Option<model::Tool> {
        let definition = self.shared.tools.definition(name)?;
        Some(model::Tool::new(definition.name.clone(), "", Arc::clone(&definition.input_schema)))
    }

    async fn discover(
        &self,
        context: RequestContext<RoleServer>,
    ) -> Result<DiscoverResult, ErrorData> {
        Wire::of(&context)?;
        let versions = self.supported_protocol_versions().into_owned();
        let (ttl_ms, scope) = Freshness::WITH_VERSION.hints();
        Ok(DiscoverResult::from_server_info(versions, self.get_info())
            .with_ttl_ms(ttl_ms)
            .with_cache_scope(scope))
    }

    async fn list_tools(
        &self,
        request: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        let wire = Wire::of(&context)?;
        let client = context.client_capabilities().unwrap_or_default();
        let own = self.shelf(&context.extensions).glance().await?;
        let page = self.shared.tools.page(request.as_ref(), &own.switches)?;
        let page = page.map(|tool| apps::shown(tool, wire, &client));
        lists::answer(&self.shared.stamp, &context, page)
    }

    // A block, as a function's future has room for its arguments twice, and each call has one.
    #[expect(clippy::manual_async_fn, reason = "see above")]
    fn call_tool(
        &self,
        mut request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> impl Future<Output = Result<CallToolResponse, ErrorData>> + Send {
        async move {
            let responses = request.input_responses.take();
            let arguments = request.arguments.take();
            let has_arguments = arguments.is_some();
            let arguments = Value::Object(arguments.unwrap_or_default());
            let call = self.call(
                &context,
                Repeatable {
                    method: CallToolRequestMethod::VALUE,
                    name: &request.name,
                    arguments: arguments.as_object().filter(|_| has_arguments),
                    responses,
                    state: request.request_state.as_deref(),
                },
            )?;
            let wire = call.wire();
            let response = match self.run(&request, &arguments, &context, &call).await {
                Ok(response) => response,
                Err(CallError::Failed(text)) => failed(text).into(),
                Err(error @ CallError::Cancelled) => failed(error.to_string()).into(),
                Err(CallError::Protocol(error)) => return Err(error),
                Err(CallError::Waiting(_)) => call.into_input_required()?.into(),
            };
            Ok(self.shared.stamp.put(wire, response))
        }
    }

    async fn get_task(
        &self,
        request: GetTaskParams,
        context: RequestContext<RoleServer>,
    ) -> Result<GetTaskResult, ErrorData> {
        let keeper = self.keeper::<GetTaskMethod>(&context)?;
        let caller = (self.shared.origin)(&context.extensions).caller;
        let task = keeper.find(caller.as_ref(), &request.task_id).await?;
        let task = tasks::detailed(task.ok_or_else(tasks::unknown_task)?)?;
        Ok(self.shared.stamp.put(Wire::Stateless, GetTaskResult::new(task)))
    }

    async fn update_task(
        &self,
        request: UpdateTaskParams,
        context: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        let keeper = self.keeper::<UpdateTaskMethod>(&context)?;
        let caller = (self.shared.origin)(&context.extensions).caller;
        let answers = request.input_responses.into_iter();
        let answers = answers.map(|(key, answer)| (key, Answer::Given(answer))).collect();
        let known = keeper
            .answer(caller.as_ref(), &request.task_id, answers)
            .await
            .map_err(tasks::too_large)?;
        known.then_some(()).ok_or_else(tasks::unknown_task)
    }

    async fn cancel_task(
        &self,
        request: CancelTaskParams,
        context: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        let keeper = self.keeper::<CancelTaskMethod>(&context)?;
        let caller = (self.shared.origin)(&context.extensions).caller;
        let known = keeper.cancel(caller.as_ref(), &request.task_id).await?;
        known.then_some(()).ok_or_else(tasks::unknown_task)
    }

    async fn on_custom_request(
        &self,
        request: CustomRequest,
        context: RequestContext<RoleServer>,
    ) -> Result<CustomResult, ErrorData> {
        self.answer_untyped(request, context).await.map(CustomResult)
    }

    async fn list_prompts(
        &self,
        request: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListPromptsResult, ErrorData> {
        let own = self.shelf(&context.extensions).glance().await?;
        let page = self.shared.prompts.page(request.as_ref(), &own.switches)?;
        lists::answer(&self.shared.stamp, &context, page)
    }

    async fn get_prompt(
        &self,
        request: GetPromptRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<GetPromptResponse, ErrorData> {
        let arguments = request.arguments.as_ref();
        let switch = self.shared.prompts.switch(&request.name);
        if !self.is_there(switch, &context.extensions).await? {
            return Err(unknown("prompt", &request.name));
        }
        let call = self.call(
            &context,
            Repeatable {
                method: GetPromptRequestMethod::VALUE,
                name: &request.name,
                arguments,
                responses: request.input_responses,
                state: request.request_state.as_deref(),
            },
        )?;
        let wire = call.wire();
        let response = match self.shared.prompts.get(&request.name, arguments, &call).await {
            Ok((description, messages)) => {
                let mut result = GetPromptResult::new(messages);
                result.description = description;
                result.into()
            }
            // A prompt has no result that says it failed.
            Err(error @ (CallError::Failed(_) | CallError::Cancelled)) => {
                return Err(ErrorData::internal_error(error.to_string(), None));
            }
            Err(CallError::Protocol(error)) => return Err(error),
            Err(CallError::Waiting(_)) => call.into_input_required()?.into(),
        };
        Ok(self.shared.stamp.put(wire, response))
    }

    async fn list_resources(
        &self,
        request: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListResourcesResult, ErrorData> {
        let own = shelved::listed(&self.shelf(&context.extensions).glance().await?);
        let page = self.shared.resources.page(request.as_ref(), &own)?;
        lists::answer(&self.shared.stamp, &context, page)
    }

    async fn list_resource_templates(
        &self,
        request: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListResourceTemplatesResult, ErrorData> {
        let page = self.shared.resources.templates_page(request.as_ref())?;
        lists::answer(&self.shared.stamp, &context, page)
    }

    async fn read_resource(
        &self,
        request: ReadResourceRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<ReadResourceResponse, ErrorData> {
        let wire = Wire::of(&context)?;
        let Reading { contents, fresh } = self.reading(&request.uri, &context.extensions).await?;
        let result = ReadResourceResult::new(vec![contents]);
        Ok(self.shared.stamp.put_cacheable(wire, fresh, result).into())
    }

    /// rmcp answers this and [`Self::unsubscribe`] with `-32601` on 2026-07-28.
    async fn subscribe(
        &self,
        request: SubscribeRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        self.reading(&request.uri, &context.extensions).await?;
        Ok(self.session()?.subscribe(&request.uri).await?)
    }

    async fn unsubscribe(
        &self,
        request: UnsubscribeRequestParams,
        _context: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        if !self.may_come(&request.uri) {
            return Err(not_found(&request.uri));
        }
        Ok(self.session()?.unsubscribe(&request.uri).await?)
    }

    fn accepted_subscription_filter(
        &self,
        requested: &SubscriptionFilter,
    ) -> Option<SubscriptionFilter> {
        // The acknowledgement goes out next, and from then on nothing may be missed.
        self.shared.opened.put(self.shared.changes.subscribe());
        Some(listen::accept(requested, |uri| self.may_come(uri)))
    }

    async fn listen(&self, context: SubscriptionContext) -> Result<(), ErrorData> {
        let changes = self.shared.opened.take();
        let changes = changes.unwrap_or_else(|| self.shared.changes.subscribe());
        let going = async {
            self.shared.draining.cancelled().await;
            tokio::time::sleep((self.shared.lingering)()).await;
        };
        let user = (self.shared.origin)(&context.request_context().extensions).user();
        listen::run(&context, changes.of(&user), going).await;
        Ok(())
    }

    async fn complete(
        &self,
        request: CompleteRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CompleteResult, ErrorData> {
        let wire = Wire::of(&context)?;
        if let Reference::Prompt(prompt) = &request.r#ref {
            let switch = self.shared.prompts.switch(&prompt.name);
            if !self.is_there(switch, &context.extensions).await? {
                return Err(unknown("prompt", &prompt.name));
            }
        }
        let result = completions::complete(&self.shared.prompts, &self.shared.resources, &request)?;
        Ok(self.shared.stamp.put(wire, result))
    }

    async fn set_level(
        &self,
        request: SetLevelRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        // 2026-07-28 has no such method, and rmcp would let it through.
        if Wire::of(&context)? == Wire::Stateless {
            return Err(ErrorData::method_not_found::<SetLevelRequestMethod>());
        }
        self.session()?.set_log_level(request.level).await?;
        // The confirmation comes whatever the level.
        let text = format!("Logging level set to: {}", notifications::name(request.level));
        let message = LoggingMessageNotificationParam::new(LoggingLevel::Debug, json!(text));
        // A lost connection shows itself otherwise.
        let _ = context.peer.notify_logging_message(message.with_logger("test-server")).await;
        Ok(())
    }
}
