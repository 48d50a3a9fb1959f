//! The server: what a client is told of us, and who answers what.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CallToolResult, ContentBlock, ErrorData,
    GetPromptRequestParams, GetPromptResponse, Implementation, ListPromptsResult,
    ListResourceTemplatesResult, ListResourcesResult, ListToolsResult, PaginatedRequestParams,
    ProgressNotificationParam, ReadResourceRequestParams, ReadResourceResponse, ReadResourceResult,
    ResourceContents, ResourceUpdatedNotificationParam, ServerCapabilities, ServerConfig,
    SubscribeRequestParams, SubscriptionFilter, UnsubscribeRequestParams,
};
use rmcp::service::{Peer, RequestContext, SubscriptionContext};
use rmcp::{RoleServer, ServerHandler};
use tokio::sync::{broadcast, mpsc, watch};

use crate::answer::{Args, Fault, of_step};
use crate::git::LateCancel;

use super::args;
use super::resource::{self, Uri};
use super::tool::{Spec, TOOLS};
use super::tools::{self, Call, Outcome};
use super::transport::Pending;
use super::watcher::Watcher;
use super::{Opener, Told, prompt};

/// How we work, for models: their clients hand it on.
const INSTRUCTIONS: &str = "\
This repository is shared by a team of agents; these tools keep their work apart.
1. Call `status` when you start, finish or lose the thread, and do what its `action` says.
2. `next` claims a task with its files; `claim` more paths before you edit them. Edit only what you hold.
3. Commit, then `submit`. Others review it, `land` brings it to the main branch; never push that yourself.
4. Stuck? `progress` with `block`. Only a person can say? `ask`. Found other work? `new_task`.
5. A refusal names who holds what, and what to call next; never work around it.";

/// How often a client that asked for it hears of a slow call.
const PACE: Duration = Duration::from_millis(500);

/// One connection.
pub struct Server {
    opener: Arc<Opener>,
    pending: Arc<Pending>,
    ending: watch::Receiver<bool>,
    watcher: Watcher,
    running: Mutex<Vec<Running>>,
    /// What was subscribed to in the way of older versions of the protocol.
    subscribed: Arc<Mutex<BTreeSet<String>>>,
    forwarding: AtomicBool,
}

/// A call that runs, as those that come after it see it.
struct Running {
    is_taken_back: Box<dyn Fn() -> bool + Send>,
    /// Closed when it has ended.
    end: watch::Receiver<()>,
}

impl Server {
    pub fn new(
        opener: Arc<Opener>,
        pending: Arc<Pending>,
        ending: watch::Receiver<bool>,
    ) -> Server {
        Server {
            watcher: Watcher::new(Arc::clone(&opener)),
            running: Mutex::default(),
            opener,
            pending,
            ending,
            subscribed: Arc::default(),
            forwarding: AtomicBool::new(false),
        }
    }

    /// Waits until every call that was taken back has ended: what comes after it is to see whether
    /// it was done or not. Ends the call that begins now when what is returned is dropped.
    async fn after_those_taken_back(
        &self,
        context: &RequestContext<RoleServer>,
    ) -> watch::Sender<()> {
        let (sender, end) = watch::channel(());
        let token = context.ct.clone();
        let mut waits = Vec::new();
        {
            // Entries are put in and taken out as a whole.
            let running = self.running.lock();
            let mut running = running.unwrap_or_else(PoisonError::into_inner);
            running.retain(|it| it.end.has_changed().is_ok());
            let taken_back = running.iter().filter(|it| (it.is_taken_back)());
            waits.extend(taken_back.map(|it| it.end.clone()));
            running.push(Running {
                is_taken_back: Box::new(move || token.is_cancelled()),
                end,
            });
        }
        for mut end in waits {
            while end.changed().await.is_ok() {}
        }
        sender
    }

    /// Runs a tool on a thread of its own, with a context of its own.
    async fn run(
        &self,
        spec: &'static Spec,
        args: Args,
        context: RequestContext<RoleServer>,
    ) -> Outcome {
        let handle = Arc::new(LateCancel::default());
        let waits = args.count("wait_seconds").is_some();
        let (told, mut heard) = mpsc::channel(4);
        let (opener, shared) = (Arc::clone(&self.opener), Arc::clone(&handle));
        let work = move || {
            let transfers = told.clone();
            // What does not fit is old by the time it would be read.
            let ctx = opener(Box::new(move |words| drop(transfers.try_send(words))));
            let ctx = match ctx {
                Ok(ctx) => ctx,
                Err(fault) => return tools::failure(&fault),
            };
            shared.set(ctx.repo().runner().cancel());
            let watch = |step: crate::ops::checks::Step| {
                if let Some(words) = of_step(&step) {
                    told.try_send(words).ok();
                }
            };
            let call = Call {
                ctx: &ctx,
                args,
                watch: &watch,
            };
            tools::call(spec.name, &call)
        };
        let mut worker = tokio::task::spawn_blocking(work);
        let token = context.meta.get_progress_token();
        let mut ending = self.ending.clone();
        let (mut steps, mut last) = (0.0, tokio::time::Instant::now());
        let (mut over, mut silent) = (false, false);
        loop {
            tokio::select! {
                done = &mut worker => {
                    return done.unwrap_or_else(|_| {
                        tools::failure(&Fault::failed("the call ended by a fault of ours; see `reflectt status`"))
                    });
                }
                words = heard.recv(), if !silent => {
                    let Some(words) = words else { silent = true; continue };
                    let Some(token) = &token else { continue };
                    if last.elapsed() < PACE { continue }
                    last = tokio::time::Instant::now();
                    steps += 1.0;
                    let progress = ProgressNotificationParam::new(token.clone(), steps);
                    context.peer.notify_progress(progress.with_message(words)).await.ok();
                }
                () = context.ct.cancelled(), if !over => {
                    over = true;
                    handle.cancel();
                }
                // Whoever waits at the end of input waits for nothing.
                () = is_over(&mut ending), if !over => {
                    over = true;
                    if waits { handle.cancel() }
                }
            }
        }
    }

    /// Looks something up on a thread of its own.
    async fn look<T: Send + 'static>(
        &self,
        look: impl FnOnce(&crate::ops::Context) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, Fault> {
        let opener = Arc::clone(&self.opener);
        let looked = tokio::task::spawn_blocking(move || {
            let ctx = opener(Box::new(|_| {}))?;
            look(&ctx)
        });
        let failed = |_| Err(Fault::failed("the call ended by a fault of ours"));
        looked.await.unwrap_or_else(failed)
    }

    /// Begins to tell of what was subscribed to, once.
    fn forward(&self, peer: Peer<RoleServer>) {
        if self.forwarding.swap(true, Ordering::SeqCst) {
            return;
        }
        let mut changes = self.watcher.follow();
        let subscribed = Arc::clone(&self.subscribed);
        tokio::spawn(async move {
            while let Some(told) = next(&mut changes).await {
                let wanted = locked(&subscribed).clone();
                for uri in told.concerning(wanted.iter()) {
                    let updated = ResourceUpdatedNotificationParam::new(uri);
                    if peer.notify_resource_updated(updated).await.is_err() {
                        return;
                    }
                }
            }
        });
    }
}

fn locked(set: &Mutex<BTreeSet<String>>) -> std::sync::MutexGuard<'_, BTreeSet<String>> {
    // Names are put in and taken out as a whole.
    set.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Waits until the server is to end.
async fn is_over(ending: &mut watch::Receiver<bool>) {
    // Nobody is left to tell only when all has ended.
    drop(ending.wait_for(|ending| *ending).await);
}

/// Returns the next change; `None` when there will be no more.
async fn next(changes: &mut broadcast::Receiver<Told>) -> Option<Told> {
    match changes.recv().await {
        Ok(told) => Some(told),
        // So much that some of it was dropped: anything may have changed.
        Err(broadcast::error::RecvError::Lagged(_)) => Some(Told::Everything),
        Err(broadcast::error::RecvError::Closed) => None,
    }
}

/// Errors of lookups are errors of the protocol: there is no result to put them into.
fn refused(fault: &Fault) -> ErrorData {
    let Outcome { value, .. } = tools::failure(fault);
    let message = fault.message().to_owned();
    match fault.kind() {
        crate::answer::Kind::Nothing | crate::answer::Kind::Usage => {
            ErrorData::resource_not_found(message, Some(value))
        }
        _ => ErrorData::internal_error(message, Some(value)),
    }
}

impl ServerHandler for Server {
    fn get_info(&self) -> ServerConfig {
        let capabilities = ServerCapabilities::builder()
            .enable_tools()
            .enable_resources()
            .enable_resources_subscribe()
            .enable_prompts()
            .build();
        let mut info = ServerConfig::new(capabilities).with_instructions(INSTRUCTIONS);
        info.server_info = Implementation::new("reflectt", env!("CARGO_PKG_VERSION"));
        info
    }

    async fn list_tools(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        let tools = TOOLS.iter().map(Spec::tool).collect();
        Ok(ListToolsResult::with_all_items(tools))
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let _begun = self.pending.begin();
        let _end = self.after_those_taken_back(&context).await;
        let Some(spec) = Spec::named(&request.name) else {
            let names: Vec<&str> = TOOLS.iter().map(|spec| spec.name).collect();
            let said = format!(
                "there is no tool `{}`, but {}",
                request.name.escape_debug(),
                names.join(", ")
            );
            return Err(ErrorData::invalid_params(said, None));
        };
        let outcome = match args::read(spec, request.arguments) {
            Ok(args) => self.run(spec, args, context).await,
            Err(fault) => tools::failure(&fault),
        };
        let text = vec![ContentBlock::text(outcome.value.to_string())];
        let mut result = match outcome.failed {
            true => CallToolResult::error(text),
            false => CallToolResult::success(text),
        };
        result.structured_content = Some(outcome.value);
        Ok(result.into())
    }

    async fn list_resources(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListResourcesResult, ErrorData> {
        Ok(ListResourcesResult::with_all_items(resource::listed()))
    }

    async fn list_resource_templates(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListResourceTemplatesResult, ErrorData> {
        let templates = vec![resource::template()];
        Ok(ListResourceTemplatesResult::with_all_items(templates))
    }

    async fn read_resource(
        &self,
        request: ReadResourceRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<ReadResourceResponse, ErrorData> {
        let _begun = self.pending.begin();
        let uri: Uri = request.uri.parse().map_err(|fault| refused(&fault))?;
        let kind = uri.mime_type();
        let text = self.look(move |ctx| resource::read(ctx, &uri)).await;
        let text = text.map_err(|fault| refused(&fault))?;
        let contents = ResourceContents::text(text, request.uri).with_mime_type(kind);
        Ok(ReadResourceResult::new(vec![contents]).into())
    }

    async fn list_prompts(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListPromptsResult, ErrorData> {
        Ok(ListPromptsResult::with_all_items(prompt::listed()))
    }

    async fn get_prompt(
        &self,
        request: GetPromptRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<GetPromptResponse, ErrorData> {
        let _begun = self.pending.begin();
        let made = move |ctx: &crate::ops::Context| prompt::make(ctx, &request);
        let made = self.look(made).await.map_err(|fault| {
            let Outcome { value, .. } = tools::failure(&fault);
            ErrorData::invalid_params(fault.message().to_owned(), Some(value))
        })?;
        Ok(made.into())
    }

    fn accepted_subscription_filter(
        &self,
        requested: &SubscriptionFilter,
    ) -> Option<SubscriptionFilter> {
        // Lists of tools, prompts and resources never change while we run.
        let uris = requested.resource_subscriptions.iter().flatten();
        let known = uris.filter(|uri| uri.parse::<Uri>().is_ok());
        let filter = SubscriptionFilter::builder();
        Some(filter.resource_subscriptions(known.cloned()).build())
    }

    async fn listen(&self, context: SubscriptionContext) -> Result<(), ErrorData> {
        let wanted = context.accepted().resource_subscriptions.clone();
        let wanted = wanted.unwrap_or_default();
        let mut ending = self.ending.clone();
        if wanted.is_empty() {
            tokio::select! {
                () = context.cancelled() => {}
                () = is_over(&mut ending) => {}
            }
            return Ok(());
        }
        let mut changes = self.watcher.follow();
        loop {
            tokio::select! {
                () = context.cancelled() => return Ok(()),
                () = is_over(&mut ending) => return Ok(()),
                told = next(&mut changes) => {
                    let Some(told) = told else { return Ok(()) };
                    for uri in told.concerning(wanted.iter()) {
                        let sink = context.sink();
                        if sink.notify_resource_updated(uri).await.is_err() {
                            return Ok(());
                        }
                    }
                }
            }
        }
    }

    async fn subscribe(
        &self,
        request: SubscribeRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        request
            .uri
            .parse::<Uri>()
            .map_err(|fault| refused(&fault))?;
        locked(&self.subscribed).insert(request.uri);
        self.forward(context.peer);
        Ok(())
    }

    async fn unsubscribe(
        &self,
        request: UnsubscribeRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        locked(&self.subscribed).remove(&request.uri);
        Ok(())
    }
}
