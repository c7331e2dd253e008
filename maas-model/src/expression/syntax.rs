//! What an expression is made of.

use crate::pattern::Pattern;
use serde_json::Value;

/// A part of an expression, with the number of characters before it.
#[derive(Debug, Clone)]
pub(super) struct Expr {
    pub(super) node: Node,
    pub(super) position: usize,
}

#[derive(Debug, Clone)]
pub(super) enum Node {
    Constant(Value),
    /// A variable that the caller gives.
    Variable(usize),
    /// A variable of a comprehension, counted from the outermost.
    Local(usize),
    List(Vec<Expr>),
    Object(Vec<(Expr, Expr)>),
    Item(Box<(Expr, Expr)>),
    Slice(Box<Expr>, Box<[Option<Expr>; 3]>),
    Method(Box<Expr>, Method, Vec<Expr>),
    Call(Function, Vec<Expr>),
    IsInstance(Box<Expr>, Vec<Type>),
    Matches(Box<Pattern>, Box<Expr>),
    Not(Box<Expr>),
    Negative(Box<Expr>),
    And(Box<(Expr, Expr)>),
    Or(Box<(Expr, Expr)>),
    Binary(Operator, Box<(Expr, Expr)>),
    /// `a < b < c`: each is compared with the next.
    Compare(Box<Expr>, Vec<(Comparison, Expr)>),
    If(Box<IfElse>),
    Each(Box<Each>),
}

impl Expr {
    /// How deep its parts lie in each other, which is how deep evaluation recurses.
    pub(super) fn depth(&self) -> usize {
        let parts = self.parts();
        1 + parts.into_iter().map(Self::depth).max().unwrap_or(0)
    }

    fn parts(&self) -> Vec<&Self> {
        match &self.node {
            Node::Constant(_) | Node::Variable(_) | Node::Local(_) => vec![],
            Node::List(items) | Node::Call(_, items) => items.iter().collect(),
            Node::Object(fields) => fields
                .iter()
                .flat_map(|(key, value)| [key, value])
                .collect(),
            Node::Item(two) | Node::And(two) | Node::Or(two) | Node::Binary(_, two) => {
                vec![&two.0, &two.1]
            }
            Node::Slice(of, bounds) => bounds.iter().flatten().chain([&**of]).collect(),
            Node::Method(of, _, arguments) => arguments.iter().chain([&**of]).collect(),
            Node::IsInstance(one, _) | Node::Matches(_, one) => vec![one],
            Node::Not(one) | Node::Negative(one) => vec![one],
            Node::Compare(first, chain) => chain
                .iter()
                .map(|(_, next)| next)
                .chain([&**first])
                .collect(),
            Node::If(parts) => vec![&parts.condition, &parts.then, &parts.otherwise],
            Node::Each(each) => {
                let rest = [&each.list, &each.result];
                each.filter.iter().chain(rest).collect()
            }
        }
    }
}

/// `then if condition else otherwise`
#[derive(Debug, Clone)]
pub(super) struct IfElse {
    pub(super) condition: Expr,
    pub(super) then: Expr,
    pub(super) otherwise: Expr,
}

/// `[result for local in list if filter]`
#[derive(Debug, Clone)]
pub(super) struct Each {
    pub(super) result: Expr,
    pub(super) list: Expr,
    pub(super) filter: Option<Expr>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operator {
    Add,
    Subtract,
    Multiply,
    Divide,
    FloorDivide,
    Remainder,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    In,
    NotIn,
    Is,
    IsNot,
}

macro_rules! words {
    ($(#[$doc:meta])* $kind:ident { $($name:ident = $word:literal $least:literal..=$most:literal),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(super) enum $kind { $($name),* }

        impl $kind {
            pub(super) const WORDS: &'static [&'static str] = &[$($word),*];

            pub(super) fn from_word(word: &str) -> Option<Self> {
                match word {
                    $($word => Some(Self::$name),)*
                    _ => None,
                }
            }

            pub(super) fn word(self) -> &'static str {
                match self {
                    $(Self::$name => $word),*
                }
            }

            /// How many arguments it takes.
            pub(super) fn arguments(self) -> std::ops::RangeInclusive<usize> {
                match self {
                    $(Self::$name => $least..=$most),*
                }
            }
        }
    };
}

words!(
    /// Functions.
    Function {
        Str = "str" 1..=1,
        Int = "int" 1..=1,
        Float = "float" 1..=1,
        Bool = "bool" 1..=1,
        Len = "len" 1..=1,
        Date = "date" 1..=2,
    }
);

words!(
    /// Methods of texts, lists and objects.
    Method {
        Get = "get" 1..=2,
        Keys = "keys" 0..=0,
        Values = "values" 0..=0,
        Replace = "replace" 2..=3,
        Split = "split" 0..=2,
        Join = "join" 1..=1,
        Strip = "strip" 0..=1,
        LeftStrip = "lstrip" 0..=1,
        RightStrip = "rstrip" 0..=1,
        Lower = "lower" 0..=0,
        Upper = "upper" 0..=0,
        IsDigit = "isdigit" 0..=0,
        IsAlpha = "isalpha" 0..=0,
        StartsWith = "startswith" 1..=1,
        EndsWith = "endswith" 1..=1,
        Find = "find" 1..=1,
        ZeroFill = "zfill" 1..=1,
    }
);

/// Types that `isinstance` knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Type {
    Str,
    Int,
    Float,
    Bool,
    List,
    Dict,
}

impl Type {
    pub(super) const WORDS: &'static [&'static str] =
        &["str", "int", "float", "bool", "list", "dict"];

    pub(super) fn from_word(word: &str) -> Option<Self> {
        Some(match word {
            "str" => Self::Str,
            "int" => Self::Int,
            "float" => Self::Float,
            "bool" => Self::Bool,
            "list" => Self::List,
            "dict" => Self::Dict,
            _ => return None,
        })
    }
}
