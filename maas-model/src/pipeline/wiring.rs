//! Judges the flow: keys that nobody takes, queues that nobody feeds, circles without end.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::flow::{Edge, EdgeSource, Flow, QueueRef};
use super::{Outside, Pipeline, Queue};
use crate::message::{Binding, ExchangeName, KeyPattern};
use crate::plugin::{self, nearest};

/// A part of the pipeline that something is said about.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Subject {
    /// The documents that an interface announces.
    Documents(usize),
    /// The files that an interface announces.
    Files(usize),
    /// A queue.
    Queue(QueueRef),
    /// A key that a queue takes.
    Binding(QueueRef, usize),
    /// An engine of a queue.
    Step(QueueRef, usize),
    /// An entry of `outside.consumed`.
    Consumed(usize),
    /// An entry of `outside.fed`.
    Fed(usize),
}

/// Something about the wiring that is not right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What it is about.
    pub subject: Subject,
    /// Whether the pipeline must not run so.
    pub refuses: bool,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub hint: Option<String>,
}

/// What is known in full: when a part of the file could not be read, its absence proves nothing.
#[derive(Debug, Clone, Copy)]
pub(super) struct Known {
    pub(super) producers: bool,
    pub(super) consumers: bool,
}

impl Pipeline {
    /// Everything that is wrong with the wiring. A pipeline from [`Pipeline::load`] has only findings
    /// that do not refuse it.
    pub fn wiring(&self) -> Vec<Finding> {
        judge(
            self,
            Known {
                producers: true,
                consumers: true,
            },
        )
    }

    /// Exchanges to which engines report of which nothing is known.
    fn unknown_exchanges(&self) -> HashSet<&ExchangeName> {
        let unknown = |queue: &Queue| {
            let mut steps = queue.engines.iter();
            steps.any(|step| plugin::find("engine", &step.engine.name).is_none())
        };
        let pools = self.pools.iter();
        let pools = pools.filter(|pool| pool.queues.iter().any(unknown));
        pools.map(|pool| &pool.report_exchange).collect()
    }
}

/// What crosses the border of the pipeline and is not named in `outside`.
pub(super) fn loose_ends(pipeline: &Pipeline, known: Known) -> Outside {
    let flow = Flow::of(pipeline);
    let mut ends = Outside::default();
    if known.consumers {
        for edge in unconsumed_edges(pipeline, &flow) {
            if !ends.consumed.contains(&edge.key) {
                ends.consumed.push(edge.key.clone());
            }
        }
    }
    if known.producers {
        for queue in unfed_queues(pipeline, &flow) {
            let bindings = pipeline.queue(queue).into_iter();
            for binding in bindings.flat_map(|queue| &queue.bindings) {
                if !ends.fed.contains(&binding.pattern) {
                    ends.fed.push(binding.pattern.clone());
                }
            }
        }
    }
    ends
}

/// Messages that no queue takes and that are not for outside.
fn unconsumed_edges<'f>(pipeline: &Pipeline, flow: &'f Flow) -> impl Iterator<Item = &'f Edge> {
    flow.edges.iter().filter(|edge| {
        let mut outside = pipeline.outside.consumed.iter();
        edge.queues.is_empty() && !outside.any(|pattern| pattern.overlaps(&edge.key))
    })
}

/// Queues that get nothing, from here or from outside. One that an engine might feed of which nothing is
/// known is not among them.
fn unfed_queues(pipeline: &Pipeline, flow: &Flow) -> Vec<QueueRef> {
    let (fed, unknown) = (flow.fed(), pipeline.unknown_exchanges());
    let comes = |binding: &Binding| {
        let mut outside = pipeline.outside.fed.iter();
        unknown.contains(&binding.exchange) || outside.any(|key| key.overlaps(&binding.pattern))
    };
    let queues = pipeline.queue_refs().filter(|queue| !fed.contains(queue));
    let queues = queues.filter(|queue| {
        let bindings = pipeline
            .queue(*queue)
            .map_or(&[][..], |queue| &queue.bindings);
        !bindings.iter().any(comes)
    });
    queues.collect()
}

pub(super) fn judge(pipeline: &Pipeline, known: Known) -> Vec<Finding> {
    let flow = Flow::of(pipeline);
    let mut findings = Vec::new();
    if known.consumers {
        unconsumed(pipeline, &flow, &mut findings);
    }
    if known.producers {
        unfed(pipeline, &flow, &mut findings);
        unused_consumed(pipeline, &flow, &mut findings);
    }
    if known.consumers {
        unused_fed(pipeline, &mut findings);
    }
    circles(pipeline, &flow, &mut findings);
    findings
}

fn unconsumed(pipeline: &Pipeline, flow: &Flow, findings: &mut Vec<Finding>) {
    let mut keys: BTreeMap<EdgeSource, Vec<&Edge>> = BTreeMap::new();
    for edge in unconsumed_edges(pipeline, flow) {
        let edges = keys.entry(edge.source).or_default();
        if !edges.iter().any(|known| known.key == edge.key) {
            edges.push(edge);
        }
    }
    for (source, edges) in keys {
        let names: Vec<String> = edges.iter().map(|edge| format!("`{}`", edge.key)).collect();
        let hint = edges
            .iter()
            .find_map(|edge| near_binding(pipeline, edge))
            .unwrap_or_else(|| {
                format!(
                    "bind a queue to it, or name it under `outside.consumed`: [{}]",
                    edges
                        .iter()
                        .map(|edge| edge.key.as_str())
                        .collect::<Vec<_>>()
                        .join(", ")
                )
            });
        findings.push(Finding {
            subject: subject(source),
            refuses: true,
            message: format!("no queue takes {}", names.join(", ")),
            hint: Some(hint),
        });
    }
}

fn near_binding(pipeline: &Pipeline, edge: &Edge) -> Option<String> {
    let bindings = || {
        pipeline
            .pools
            .iter()
            .flat_map(|pool| &pool.queues)
            .flat_map(|queue| queue.bindings.iter().map(move |binding| (queue, binding)))
    };
    let elsewhere = bindings().find(|(_, binding)| binding.pattern.overlaps(&edge.key));
    if let Some((queue, binding)) = elsewhere {
        let taken = quoted(&binding.exchange);
        let published = quoted(&edge.exchange);
        return Some(format!(
            "queue `{}` takes it from exchange {taken}, and it is published to {published}",
            queue.name
        ));
    }
    let near = nearest(
        edge.key.as_str(),
        bindings().map(|(_, binding)| binding.pattern.as_str()),
    )?;
    let (queue, _) = bindings().find(|(_, binding)| binding.pattern.as_str() == near)?;
    Some(format!(
        "queue `{}` takes `{near}`: did you mean that?",
        queue.name
    ))
}

fn quoted(exchange: &ExchangeName) -> String {
    format!("`{exchange}`")
}

fn subject(source: EdgeSource) -> Subject {
    match source {
        EdgeSource::Documents(interface) => Subject::Documents(interface),
        EdgeSource::Files(interface) => Subject::Files(interface),
        EdgeSource::Step(queue, step) => Subject::Step(queue, step),
    }
}

fn unfed(pipeline: &Pipeline, flow: &Flow, findings: &mut Vec<Finding>) {
    let fed = flow.fed();
    let comes = |pattern: &KeyPattern| pipeline.outside.fed.iter().any(|key| key.overlaps(pattern));
    let unknown = pipeline.unknown_exchanges();
    for reference in unfed_queues(pipeline, flow) {
        let Some(queue) = pipeline.queue(reference) else {
            continue;
        };
        let near = queue.bindings.iter().find_map(|binding| {
            let keys = flow.edges.iter().map(|edge| edge.key.as_str());
            nearest(binding.pattern.as_str(), keys)
        });
        let hint = match near {
            Some(key) => format!("`{key}` is published: did you mean that?"),
            None => {
                "if another system publishes its keys, name them under `outside.fed`".to_owned()
            }
        };
        findings.push(Finding {
            subject: Subject::Queue(reference),
            refuses: true,
            message: format!("nobody feeds queue `{}`", queue.name),
            hint: Some(hint),
        });
    }
    // Nearly all keys are literal, and looked up; only patterns are compared one by one.
    let literal: HashSet<_> = flow
        .edges
        .iter()
        .map(|edge| (&edge.exchange, &edge.key))
        .collect();
    let patterns = |key: &KeyPattern| {
        let compared = !key.is_literal();
        flow.edges
            .iter()
            .filter(move |edge| compared || !edge.key.is_literal())
    };
    for reference in fed {
        let bindings = pipeline
            .queue(reference)
            .map_or(&[][..], |queue| &queue.bindings);
        for (index, binding) in bindings.iter().enumerate() {
            let (exchange, key) = (&binding.exchange, &binding.pattern);
            let published = literal.contains(&(exchange, key))
                || patterns(key).any(|edge| edge.exchange == *exchange && edge.key.overlaps(key));
            if !published && !comes(&binding.pattern) && !unknown.contains(&binding.exchange) {
                findings.push(Finding {
                    subject: Subject::Binding(reference, index),
                    refuses: false,
                    message: format!("nobody publishes `{}`", binding.pattern),
                    hint: Some("remove it, or name it under `outside.fed`".to_owned()),
                });
            }
        }
    }
}

fn unused_consumed(pipeline: &Pipeline, flow: &Flow, findings: &mut Vec<Finding>) {
    // An engine of which nothing is known may publish it.
    if !pipeline.unknown_exchanges().is_empty() {
        return;
    }
    for (index, pattern) in pipeline.outside.consumed.iter().enumerate() {
        if !flow.edges.iter().any(|edge| pattern.overlaps(&edge.key)) {
            findings.push(Finding {
                subject: Subject::Consumed(index),
                refuses: false,
                message: format!("nobody publishes `{pattern}`"),
                hint: nearest(
                    pattern.as_str(),
                    flow.edges.iter().map(|edge| edge.key.as_str()),
                )
                .map(|key| format!("did you mean `{key}`?")),
            });
        }
    }
}

fn unused_fed(pipeline: &Pipeline, findings: &mut Vec<Finding>) {
    let queues = || pipeline.pools.iter().flat_map(|pool| &pool.queues);
    for (index, key) in pipeline.outside.fed.iter().enumerate() {
        let mut bindings = queues().flat_map(|queue| &queue.bindings);
        if !bindings.any(|binding| binding.pattern.overlaps(key)) {
            let bound = queues().flat_map(|queue| &queue.bindings);
            findings.push(Finding {
                subject: Subject::Fed(index),
                refuses: false,
                message: format!("no queue takes `{key}`"),
                hint: nearest(key.as_str(), bound.map(|binding| binding.pattern.as_str()))
                    .map(|key| format!("did you mean `{key}`?")),
            });
        }
    }
}

/// More are not told at once: each is a mistake in thinking, not in typing.
const MAX_CIRCLES: usize = 10;

/// A circle ends by itself when one hop of it announces only what changed: then at some point nothing
/// changes any more. So only circles of the other hops are told.
fn circles(pipeline: &Pipeline, flow: &Flow, findings: &mut Vec<Finding>) {
    let mut next: BTreeMap<QueueRef, BTreeSet<QueueRef>> = BTreeMap::new();
    let mut step_of: BTreeMap<(QueueRef, QueueRef), usize> = BTreeMap::new();
    for edge in flow.edges.iter().filter(|edge| !edge.only_changed) {
        if let EdgeSource::Step(from, step) = edge.source {
            for to in &edge.queues {
                next.entry(from).or_default().insert(*to);
                step_of.entry((from, *to)).or_insert(step);
            }
        }
    }
    for _ in 0..MAX_CIRCLES {
        let Some(circle) = circle(&next) else { break };
        let (first, second) = (circle[0], circle[1 % circle.len()]);
        let step = step_of.get(&(first, second)).copied().unwrap_or_default();
        let names = circle
            .iter()
            .chain([&first])
            .filter_map(|queue| pipeline.queue(*queue));
        let names: Vec<String> = names.map(|queue| format!("`{}`", queue.name)).collect();
        findings.push(Finding {
            subject: Subject::Step(first, step),
            refuses: true,
            message: format!("messages go round for ever: {}", names.join(" -> ")),
            hint: Some(
                "one engine of the circle must announce only what changed, or nothing: remove `force`, or say `report: false`"
                    .to_owned(),
            ),
        });
        // Told; what remains are other circles.
        if let Some(targets) = next.get_mut(&first) {
            targets.remove(&second);
        }
    }
}

/// Some circle, if there is one: what leads nowhere is taken away until everything left leads on.
fn circle(next: &BTreeMap<QueueRef, BTreeSet<QueueRef>>) -> Option<Vec<QueueRef>> {
    let mut before: BTreeMap<QueueRef, Vec<QueueRef>> = BTreeMap::new();
    let mut ways: BTreeMap<QueueRef, usize> = BTreeMap::new();
    for (from, targets) in next {
        ways.insert(*from, targets.len());
        for to in targets {
            before.entry(*to).or_default().push(*from);
            ways.entry(*to)
                .or_insert_with(|| next.get(to).map_or(0, BTreeSet::len));
        }
    }
    let mut ends: Vec<QueueRef> = ways
        .iter()
        .filter(|(_, ways)| **ways == 0)
        .map(|(queue, _)| *queue)
        .collect();
    while let Some(end) = ends.pop() {
        ways.remove(&end);
        for from in before.get(&end).into_iter().flatten() {
            if let Some(left) = ways.get_mut(from) {
                *left -= 1;
                if *left == 0 {
                    ends.push(*from);
                }
            }
        }
    }
    let mut path = vec![*ways.keys().next()?];
    let mut seen: BTreeMap<QueueRef, usize> = BTreeMap::new();
    loop {
        let queue = *path.last()?;
        seen.insert(queue, path.len() - 1);
        let on = *next
            .get(&queue)?
            .iter()
            .find(|target| ways.contains_key(target))?;
        if let Some(start) = seen.get(&on) {
            return Some(path.split_off(*start));
        }
        path.push(on);
    }
}
