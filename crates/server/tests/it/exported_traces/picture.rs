//! A trace as a picture, which `docs/tracing.md` shows.

use std::{collections::BTreeMap, env, fmt::Write as _, fs, path::Path};

use crate::support::Exported;

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/images/trace.svg");
const ROW: u64 = 24;
const TOP: u64 = 44;
/// Where the bars begin and how long the longest is.
const LEFT: u64 = 400;
const WIDTH: u64 = 460;
const COLOURS: [&str; 2] = ["#3b6fb5", "#b5653b"];
const REDIS: &str = "#8a8a8a";

/// That the picture of the docs has the spans of this trace; with `WRITE_TRACE` it is drawn.
pub(super) fn is_kept(spans: &[Exported]) {
    if env::var_os("WRITE_TRACE").is_some() {
        fs::create_dir_all(Path::new(FILE).parent().unwrap()).unwrap();
        fs::write(FILE, draw(spans)).unwrap();
    }
    let kept = fs::read_to_string(FILE).unwrap();
    for span in spans {
        let name = format!(">{}<", span.name);
        assert!(kept.contains(&name), "{} is not in the picture: WRITE_TRACE=1", span.name);
    }
}

/// A span and how deep it lies.
fn rows<'a>(
    spans: &'a [Exported],
    parent: Option<&str>,
    depth: u64,
    into: &mut Vec<(&'a Exported, u64)>,
) {
    let is_below = |span: &Exported| match parent {
        Some(parent) => span.parent == parent,
        None => spans.iter().all(|other| other.id != span.parent),
    };
    let mut below: Vec<_> = spans.iter().filter(|span| is_below(span)).collect();
    below.sort_by_key(|span| (span.begin, span.end));
    for span in below {
        into.push((span, depth));
        rows(spans, Some(&span.id), depth + 1, into);
    }
}

fn draw(spans: &[Exported]) -> String {
    let mut ordered = Vec::new();
    rows(spans, None, 0, &mut ordered);
    let begin = spans.iter().map(|span| span.begin).min().unwrap();
    let end = spans.iter().map(|span| span.end).max().unwrap();
    let whole = (end - begin).max(1);
    let mut places = BTreeMap::new();
    for (span, _) in &ordered {
        let next = places.len();
        places.entry(span.instance.as_str()).or_insert(next);
    }
    let height = TOP + ROW * u64::try_from(ordered.len()).unwrap() + 16;
    let width = LEFT + WIDTH + 90;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" \
         font-family=\"sans-serif\" font-size=\"13\">\n\
         <title>A trace across two instances and Redis</title>\n\
         <rect width=\"{width}\" height=\"{height}\" fill=\"#ffffff\"/>\n"
    );
    let legend = [
        (16, COLOURS[0], "the instance that runs the call"),
        (250, COLOURS[1], "the instance that takes the answer"),
        (510, REDIS, "Redis, asked by either"),
    ];
    for (x, colour, text) in legend {
        let _ = writeln!(
            svg,
            "<rect x=\"{x}\" y=\"14\" width=\"12\" height=\"12\" fill=\"{colour}\"/>\
             <text x=\"{}\" y=\"25\" fill=\"#222222\">{text}</text>",
            x + 18
        );
    }
    for (row, (span, depth)) in (0..).zip(&ordered) {
        let y = TOP + ROW * row;
        let from = LEFT + (span.begin - begin) * WIDTH / whole;
        let length = ((span.end - span.begin) * WIDTH / whole).max(2);
        let place = places[span.instance.as_str()];
        let own = COLOURS[place % COLOURS.len()];
        let colour = if span.is("db.system.name", "redis") { REDIS } else { own };
        let micros = (span.end - span.begin) / 1000;
        let _ = writeln!(
            svg,
            "<circle cx=\"{}\" cy=\"{}\" r=\"4\" fill=\"{own}\"/>\
             <text x=\"{}\" y=\"{}\" fill=\"#222222\">{}</text>\
             <rect x=\"{from}\" y=\"{}\" width=\"{length}\" height=\"14\" fill=\"{colour}\"/>\
             <text x=\"{}\" y=\"{}\" fill=\"#666666\" font-size=\"11\">{}.{:02} ms</text>",
            18 + depth * 18,
            y + 10,
            28 + depth * 18,
            y + 14,
            span.name,
            y + 3,
            from + length + 6,
            y + 14,
            micros / 1000,
            micros % 1000 / 10,
        );
    }
    svg.push_str("</svg>\n");
    svg
}
