//! The flow of a pipeline as a picture: text, Mermaid, SVG.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::flow::{EdgeSource, Flow, QueueRef};
use super::{Pipeline, Queue};

/// Who is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Node {
    Interface(usize),
    Queue(QueueRef),
    /// Other systems.
    Outside,
}

/// A drawing of a pipeline. The same pipeline always gives the same drawing.
#[derive(Debug)]
pub struct Graph<'a> {
    pipeline: &'a Pipeline,
    /// The keys from one node to another.
    arrows: BTreeMap<(Node, Node), Vec<String>>,
    nodes: Vec<Node>,
}

impl<'a> Graph<'a> {
    /// Follows the messages of the pipeline.
    pub fn of(pipeline: &'a Pipeline) -> Self {
        let mut arrows: BTreeMap<(Node, Node), Vec<String>> = BTreeMap::new();
        let mut arrow = |from: Node, to: Node, key: &str| {
            let keys = arrows.entry((from, to)).or_default();
            if !keys.iter().any(|known| known == key) {
                keys.push(key.to_owned());
            }
        };
        for edge in Flow::of(pipeline).edges {
            let from = match edge.source {
                EdgeSource::Documents(index) | EdgeSource::Files(index) => Node::Interface(index),
                EdgeSource::Step(queue, _) => Node::Queue(queue),
            };
            for queue in &edge.queues {
                arrow(from, Node::Queue(*queue), edge.key.as_str());
            }
            if pipeline
                .outside
                .consumed
                .iter()
                .any(|pattern| pattern.overlaps(&edge.key))
            {
                arrow(from, Node::Outside, edge.key.as_str());
            }
        }
        for reference in pipeline.queue_refs() {
            let bindings = pipeline
                .queue(reference)
                .map_or(&[][..], |queue| &queue.bindings);
            for pattern in bindings.iter().map(|binding| &binding.pattern) {
                if pipeline.outside.fed.iter().any(|key| key.overlaps(pattern)) {
                    arrow(Node::Outside, Node::Queue(reference), pattern.as_str());
                }
            }
        }
        let mut nodes: Vec<Node> = (0..pipeline.interfaces.len())
            .map(Node::Interface)
            .collect();
        nodes.extend(pipeline.queue_refs().map(Node::Queue));
        if arrows
            .keys()
            .any(|(from, to)| [from, to].contains(&&Node::Outside))
        {
            nodes.push(Node::Outside);
        }
        Self {
            pipeline,
            arrows,
            nodes,
        }
    }

    fn label(&self, node: Node) -> String {
        match node {
            Node::Interface(index) => self
                .pipeline
                .interfaces
                .get(index)
                .map(|interface| interface.name.clone())
                .unwrap_or_default(),
            Node::Queue(queue) => self
                .pipeline
                .queue(queue)
                .map(|queue| queue.name.to_string())
                .unwrap_or_default(),
            Node::Outside => "other systems".to_owned(),
        }
    }

    fn detail(&self, node: Node) -> String {
        match node {
            Node::Interface(index) => {
                let model = self
                    .pipeline
                    .interfaces
                    .get(index)
                    .and_then(|interface| interface.store.as_ref());
                model
                    .map(|store| store.model.alias.to_string())
                    .unwrap_or_default()
            }
            Node::Queue(queue) => self.pipeline.queue(queue).map(engines).unwrap_or_default(),
            Node::Outside => String::new(),
        }
    }

    fn arrows_from(&self, node: Node) -> impl Iterator<Item = (Node, &[String])> {
        self.arrows
            .iter()
            .filter(move |((from, _), _)| *from == node)
            .map(|((_, to), keys)| (*to, keys.as_slice()))
    }

    /// A list of what each part sends where, for a terminal.
    pub fn text(&self) -> String {
        let mut text = String::new();
        let pools = &self.pipeline.pools;
        for node in &self.nodes {
            let (title, detail) = (self.label(*node), self.detail(*node));
            let _ = match node {
                Node::Interface(_) => writeln!(text, "interface {title} -> {detail}"),
                Node::Queue(queue) => {
                    let pool = pools.get(queue.pool).map_or("", |pool| pool.name.as_str());
                    writeln!(text, "pool {pool}: queue {title}: {detail}")
                }
                Node::Outside => writeln!(text, "{title}"),
            };
            for (to, keys) in self.arrows_from(*node) {
                let _ = writeln!(text, "  {} -> {}", keys.join(", "), self.label(to));
            }
        }
        text
    }

    /// A Mermaid flowchart.
    pub fn mermaid(&self) -> String {
        let mut text = "flowchart LR\n".to_owned();
        for (number, node) in self.nodes.iter().enumerate() {
            let label = [self.label(*node), self.detail(*node)];
            let lines: Vec<String> = label
                .iter()
                .filter(|line| !line.is_empty())
                .map(|line| escape(line))
                .collect();
            let _ = writeln!(text, "  n{number}[\"{}\"]", lines.join("<br/>"));
        }
        for ((from, to), keys) in &self.arrows {
            let keys: Vec<String> = keys.iter().map(|key| escape(key)).collect();
            let (from, to) = (self.number(*from), self.number(*to));
            let _ = writeln!(text, "  n{from} -->|\"{}\"| n{to}", keys.join("<br/>"));
        }
        text
    }

    fn number(&self, node: Node) -> usize {
        self.nodes
            .iter()
            .position(|known| *known == node)
            .unwrap_or_default()
    }

    /// Columns from left to right: how many hops a message has made at the earliest.
    fn columns(&self) -> BTreeMap<Node, usize> {
        let mut columns: BTreeMap<Node, usize> = BTreeMap::new();
        let mut todo: Vec<Node> = self
            .nodes
            .iter()
            .copied()
            .filter(|node| matches!(node, Node::Interface(_)))
            .collect();
        let mut column = 0;
        while !todo.is_empty() {
            todo.retain(|node| !columns.contains_key(node));
            columns.extend(todo.iter().map(|node| (*node, column)));
            let reached = todo
                .iter()
                .flat_map(|node| self.arrows_from(*node).map(|(to, _)| to));
            todo = reached.filter(|node| *node != Node::Outside).collect();
            column += 1;
        }
        // What only other systems feed stands beside the interfaces' first queues.
        for node in &self.nodes {
            let beyond = if *node == Node::Outside { column } else { 1 };
            columns.entry(*node).or_insert(beyond);
        }
        columns
    }

    /// A picture in columns.
    pub fn svg(&self) -> String {
        const BOX: (usize, usize) = (260, 44);
        const STEP: (usize, usize) = (420, 74);
        let columns = self.columns();
        let mut rows: BTreeMap<usize, usize> = BTreeMap::new();
        let mut places: BTreeMap<Node, (usize, usize)> = BTreeMap::new();
        for node in &self.nodes {
            let column = columns.get(node).copied().unwrap_or_default();
            let row = rows.entry(column).or_default();
            places.insert(*node, (20 + column * STEP.0, 20 + *row * STEP.1));
            *row += 1;
        }
        let width = 40 + BOX.0 + STEP.0 * rows.keys().max().copied().unwrap_or_default();
        let height = 20 + STEP.1 * rows.values().max().copied().unwrap_or_default();
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" font-family=\"sans-serif\" font-size=\"12\">\n"
        );
        for ((from, to), keys) in &self.arrows {
            let (Some(a), Some(b)) = (places.get(from), places.get(to)) else {
                continue;
            };
            let (x1, y1) = (a.0 + BOX.0, a.1 + BOX.1 / 2);
            let (x2, y2) = (b.0, b.1 + BOX.1 / 2);
            let (c1, c2) = (x1 + 60, x2.saturating_sub(60));
            let _ = writeln!(
                svg,
                "<path d=\"M{x1},{y1} C{c1},{y1} {c2},{y2} {x2},{y2}\" fill=\"none\" stroke=\"#888\"><title>{}</title></path>",
                escape(&keys.join(", "))
            );
        }
        for node in &self.nodes {
            let (x, y) = places.get(node).copied().unwrap_or_default();
            let fill = match node {
                Node::Interface(_) => "#dbeafe",
                Node::Queue(_) => "#dcfce7",
                Node::Outside => "#f3f4f6",
            };
            let (title, detail) = (
                escape(&shorten(&self.label(*node))),
                escape(&shorten(&self.detail(*node))),
            );
            let _ = writeln!(
                svg,
                "<rect x=\"{x}\" y=\"{y}\" width=\"{}\" height=\"{}\" rx=\"4\" fill=\"{fill}\" stroke=\"#555\"/>\
                 <text x=\"{}\" y=\"{}\">{title}</text><text x=\"{}\" y=\"{}\" fill=\"#555\">{detail}</text>",
                BOX.0,
                BOX.1,
                x + 8,
                y + 18,
                x + 8,
                y + 35
            );
        }
        svg.push_str("</svg>\n");
        svg
    }
}

fn engines(queue: &Queue) -> String {
    let names: Vec<&str> = queue
        .engines
        .iter()
        .map(|step| step.engine.name.as_str())
        .collect();
    names.join(", ")
}

/// What fits into a box.
fn shorten(text: &str) -> String {
    const LETTERS: usize = 38;
    if text.chars().count() <= LETTERS {
        return text.to_owned();
    }
    text.chars().take(LETTERS - 1).chain(['…']).collect()
}

/// Names come from a file: none of them may be read as markup.
fn escape(text: &str) -> String {
    let mut escaped = String::new();
    for letter in text.chars() {
        match letter {
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '&' => escaped.push_str("&amp;"),
            '"' => escaped.push_str("&quot;"),
            letter if letter.is_control() => escaped.push(' '),
            letter => escaped.push(letter),
        }
    }
    escaped
}
