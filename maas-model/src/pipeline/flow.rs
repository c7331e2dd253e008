//! Which message goes where: from interfaces and engines over keys to queues.

use std::collections::{BTreeSet, HashMap, HashSet, VecDeque};

use super::{EngineStep, Pipeline, Queue};
use crate::message::{ExchangeName, KeyPattern};
use crate::plugin::{self, EmissionCause, EmitContext};

/// A queue, by the places of its pool and of itself in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct QueueRef {
    /// Place of the pool.
    pub pool: usize,
    /// Place of the queue in the pool.
    pub queue: usize,
}

/// Who publishes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum EdgeSource {
    /// The documents of an interface, by its place.
    Documents(usize),
    /// The files of an interface, by its place.
    Files(usize),
    /// An engine, by its place in a queue's list.
    Step(QueueRef, usize),
}

/// Messages under one key (or pattern of keys), and who takes them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edge {
    /// Who publishes.
    pub source: EdgeSource,
    /// To which exchange.
    pub exchange: ExchangeName,
    /// Under which key.
    pub key: KeyPattern,
    /// The class named in the messages, where it is known.
    pub document_class: Option<String>,
    /// Whether only documents that changed are announced.
    pub only_changed: bool,
    /// The queues that take them.
    pub queues: Vec<QueueRef>,
}

/// All messages of a pipeline.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Flow {
    /// Those of the interfaces first, then in the order in which they wake queues.
    pub edges: Vec<Edge>,
}

impl Flow {
    /// Follows the messages from the interfaces through all queues, as the engines tell it.
    pub fn of(pipeline: &Pipeline) -> Self {
        let mut walk = Walk {
            pipeline,
            bound: Bound::of(pipeline),
            flow: Self::default(),
            known: HashSet::new(),
            seen: HashSet::new(),
            visited: HashSet::new(),
            todo: VecDeque::new(),
        };
        walk.interfaces();
        walk.drain();
        // The rest is fed from outside, or by nobody: its class is not known.
        for queue in pipeline.queue_refs() {
            if !walk.visited.contains(&queue) {
                walk.todo.push_back((queue, None));
                walk.drain();
            }
        }
        walk.flow
    }

    /// The queues that get something.
    pub(super) fn fed(&self) -> BTreeSet<QueueRef> {
        self.edges
            .iter()
            .flat_map(|edge| edge.queues.iter().copied())
            .collect()
    }
}

impl Pipeline {
    /// All queues, in order.
    pub(super) fn queue_refs(&self) -> impl Iterator<Item = QueueRef> {
        self.pools.iter().enumerate().flat_map(|(pool, spec)| {
            (0..spec.queues.len()).map(move |queue| QueueRef { pool, queue })
        })
    }

    /// The queue of a reference of this pipeline.
    pub fn queue(&self, queue: QueueRef) -> Option<&Queue> {
        self.pools.get(queue.pool)?.queues.get(queue.queue)
    }
}

/// What queues take: literal keys are looked up, patterns compared.
struct Bound<'a> {
    literal: HashMap<(&'a ExchangeName, &'a KeyPattern), Vec<QueueRef>>,
    patterns: Vec<(&'a ExchangeName, &'a KeyPattern, QueueRef)>,
}

impl<'a> Bound<'a> {
    fn of(pipeline: &'a Pipeline) -> Self {
        let mut bound = Self {
            literal: HashMap::new(),
            patterns: Vec::new(),
        };
        for queue in pipeline.queue_refs() {
            for binding in pipeline
                .queue(queue)
                .into_iter()
                .flat_map(|queue| &queue.bindings)
            {
                let (exchange, pattern) = (&binding.exchange, &binding.pattern);
                if pattern.is_literal() {
                    bound
                        .literal
                        .entry((exchange, pattern))
                        .or_default()
                        .push(queue);
                } else {
                    bound.patterns.push((exchange, pattern, queue));
                }
            }
        }
        bound
    }

    fn takers(&self, exchange: &ExchangeName, key: &KeyPattern) -> Vec<QueueRef> {
        let mut takers: BTreeSet<QueueRef> = BTreeSet::new();
        if key.is_literal() {
            takers.extend(self.literal.get(&(exchange, key)).into_iter().flatten());
        } else {
            let literal = self.literal.iter();
            let fitting =
                literal.filter(|((from, bound), _)| *from == exchange && bound.overlaps(key));
            takers.extend(fitting.flat_map(|(_, queues)| queues));
        }
        let patterns = self.patterns.iter();
        let fitting = patterns.filter(|(from, bound, _)| *from == exchange && bound.overlaps(key));
        takers.extend(fitting.map(|(_, _, queue)| *queue));
        takers.into_iter().collect()
    }
}

struct Walk<'a> {
    pipeline: &'a Pipeline,
    bound: Bound<'a>,
    flow: Flow,
    known: HashSet<(EdgeSource, KeyPattern, Option<String>, bool)>,
    /// Each queue is visited once per class that can come to it.
    seen: HashSet<(QueueRef, Option<String>)>,
    visited: HashSet<QueueRef>,
    todo: VecDeque<(QueueRef, Option<String>)>,
}

impl Walk<'_> {
    fn interfaces(&mut self) {
        for (index, interface) in self.pipeline.interfaces.iter().enumerate() {
            let class = interface
                .store
                .as_ref()
                .map(|store| store.model.name.clone());
            let announce = &interface.announce;
            for (source, key, only_changed) in [
                (EdgeSource::Documents(index), &announce.documents, true),
                (EdgeSource::Files(index), &announce.files, false),
            ] {
                if let Some(key) = key {
                    let key = KeyPattern::from(key.clone());
                    self.edge(
                        source,
                        announce.exchange(),
                        key,
                        class.clone(),
                        only_changed,
                    );
                }
            }
        }
    }

    fn drain(&mut self) {
        while let Some((queue, class)) = self.todo.pop_front() {
            if self.seen.insert((queue, class.clone())) {
                self.visited.insert(queue);
                let steps = self
                    .pipeline
                    .queue(queue)
                    .map_or(&[][..], |queue| &queue.engines);
                for (index, step) in steps.iter().enumerate() {
                    self.step(queue, index, step, class.as_deref());
                }
            }
        }
    }

    fn step(&mut self, queue: QueueRef, index: usize, step: &EngineStep, class: Option<&str>) {
        let Some(info) = plugin::find("engine", &step.engine.name) else {
            return;
        };
        let context = EmitContext {
            models: &self.pipeline.models,
            document_class: class,
        };
        let Some(pool) = self.pipeline.pools.get(queue.pool) else {
            return;
        };
        for emission in (info.emits)(&step.engine.settings, &context) {
            if emission.cause == EmissionCause::Write && !step.send_reports {
                continue;
            }
            let only_changed = emission.only_changed && !step.force;
            let source = EdgeSource::Step(queue, index);
            let exchange = pool.report_exchange.clone();
            self.edge(
                source,
                exchange,
                emission.key,
                emission.document_class,
                only_changed,
            );
        }
    }

    fn edge(
        &mut self,
        source: EdgeSource,
        exchange: ExchangeName,
        key: KeyPattern,
        document_class: Option<String>,
        only_changed: bool,
    ) {
        if !self
            .known
            .insert((source, key.clone(), document_class.clone(), only_changed))
        {
            return;
        }
        let queues = self.bound.takers(&exchange, &key);
        for queue in &queues {
            self.todo.push_back((*queue, document_class.clone()));
        }
        self.flow.edges.push(Edge {
            source,
            exchange,
            key,
            document_class,
            only_changed,
            queues,
        });
    }
}
