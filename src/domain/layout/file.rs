//! A layout file: TOML in, [`Layouts`] out, or an error that names the place.

use std::ops::Range;
use std::sync::Arc;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::error::{LayoutError, LayoutProblem, nearest};
use super::template::Template;
use super::{Layout, Layouts};
use crate::domain::verdict::Health;

const FILE_KEYS: [&str; 2] = ["project_prefix", "layout"];
const LAYOUT_KEYS: [&str; 3] = ["name", "template", "health"];

/// Where in the text a value stands, and under which key.
struct Place {
    span: Range<usize>,
    field: &'static str,
}

type Problem = (Place, LayoutProblem);

/// A text value and where it stands.
struct Text<'t> {
    text: &'t str,
    span: Range<usize>,
}

pub(super) fn parse(toml: &str, file: &str) -> Result<Layouts, LayoutError> {
    let line = |at: usize| 1 + toml.as_bytes().iter().take(at).filter(|&&byte| byte == b'\n').count();
    let error = |at: usize, field: &str, problem| LayoutError {
        file: file.to_owned(),
        line: line(at),
        field: field.to_owned(),
        problem,
    };
    let root = DeTable::parse(toml).map_err(|syntax| {
        let at = syntax.span().map_or(0, |span| span.start);
        error(at, "", LayoutProblem::Syntax(syntax.message().to_owned()))
    })?;
    read_file(root.get_ref(), &line).map_err(|(place, problem)| {
        let field = match &problem {
            LayoutProblem::UnknownKey { key, .. } => key.as_str(),
            _ => place.field,
        };
        error(place.span.start, field, problem.clone())
    })
}

fn read_file(root: &DeTable<'_>, line: &dyn Fn(usize) -> usize) -> Result<Layouts, Problem> {
    only_known(root, &FILE_KEYS)?;
    let prefix = match root.iter().find(|(key, _)| key.get_ref() == "project_prefix") {
        Some((_, value)) => {
            let Text { text, span } = text_of(value, "project_prefix")?;
            if text.contains('/') {
                return Err((Place { span, field: "project_prefix" }, LayoutProblem::SlashInPrefix));
            }
            text.to_owned()
        }
        None => String::new(),
    };
    let nothing = || (Place { span: 0..0, field: "layout" }, LayoutProblem::NoLayout);
    let (_, value) = root.iter().find(|(key, _)| key.get_ref() == "layout").ok_or_else(nothing)?;
    let tables = value.get_ref().as_array().ok_or_else(|| wrong_kind(value, "layout", "[[layout]] tables"))?;
    let mut layouts: Vec<(Layout, Range<usize>, Range<usize>)> = Vec::new();
    for table in tables.iter() {
        let (layout, name_span, template_span) = read_layout(table)?;
        if let Some((_, first, _)) = layouts.iter().find(|(other, _, _)| other.name == layout.name) {
            let problem = LayoutProblem::DuplicateName { name: layout.name.to_string(), first_line: line(first.start) };
            return Err((Place { span: name_span, field: "name" }, problem));
        }
        let skeleton = layout.template.skeleton();
        if let Some((other, _, at)) = layouts.iter().find(|(other, _, _)| other.template.skeleton() == skeleton) {
            let problem = LayoutProblem::SameSkeleton { other: other.name.to_string(), other_line: line(at.start) };
            return Err((Place { span: template_span, field: "template" }, problem));
        }
        layouts.push((layout, name_span, template_span));
    }
    if layouts.is_empty() {
        return Err(nothing());
    }
    Ok(Layouts::new(prefix, layouts.into_iter().map(|(layout, _, _)| layout).collect()))
}

fn read_layout(value: &Spanned<DeValue<'_>>) -> Result<(Layout, Range<usize>, Range<usize>), Problem> {
    let table = value.get_ref().as_table().ok_or_else(|| wrong_kind(value, "layout", "a [[layout]] table"))?;
    only_known(table, &LAYOUT_KEYS)?;
    let text = |field: &'static str| {
        let found = table.iter().find(|(key, _)| key.get_ref() == field);
        let (_, value) =
            found.ok_or((Place { span: value.span(), field: "layout" }, LayoutProblem::MissingKey(field)))?;
        text_of(value, field)
    };
    let name = text("name")?;
    if name.text.is_empty() {
        return Err((Place { span: name.span, field: "name" }, LayoutProblem::Empty));
    }
    let template = text("template")?;
    let parsed = Template::parse(template.text)
        .map_err(|why| (Place { span: template.span.clone(), field: "template" }, LayoutProblem::Template(why)))?;
    let health = text("health")?;
    let known = [Health::Canonical, Health::Legacy];
    let Some(parsed_health) = known.into_iter().find(|known| known.name() == health.text) else {
        let nearest = nearest(health.text, known.map(Health::name));
        let problem = LayoutProblem::UnknownHealth { found: health.text.to_owned(), nearest };
        return Err((Place { span: health.span, field: "health" }, problem));
    };
    let layout = Layout { name: Arc::from(name.text), template: parsed, health: parsed_health };
    Ok((layout, name.span, template.span))
}

fn only_known(table: &DeTable<'_>, known: &[&'static str]) -> Result<(), Problem> {
    match table.iter().map(|(key, _)| key).find(|key| !known.contains(&key.get_ref().as_ref())) {
        Some(key) => {
            let nearest = nearest(key.get_ref(), known.iter().copied());
            let problem = LayoutProblem::UnknownKey { key: key.get_ref().to_string(), nearest };
            Err((Place { span: key.span(), field: "" }, problem))
        }
        None => Ok(()),
    }
}

fn text_of<'t>(value: &'t Spanned<DeValue<'_>>, field: &'static str) -> Result<Text<'t>, Problem> {
    match value.get_ref().as_str() {
        Some(text) => Ok(Text { text, span: value.span() }),
        None => Err(wrong_kind(value, field, "a text in quotes")),
    }
}

fn wrong_kind(value: &Spanned<DeValue<'_>>, field: &'static str, expected: &'static str) -> Problem {
    let found = value.get_ref().type_str();
    (Place { span: value.span(), field }, LayoutProblem::WrongKind { expected, found })
}
