//! `compare-plot RESULTS.csv FOLDER`: one SVG per figure of `benches/compare`, medians over the rounds.

use plotters::coord::Shift;
use plotters::prelude::*;
use std::collections::BTreeMap;
use std::error::Error;
use std::path::Path;

const BACKENDS: [(&str, RGBColor); 7] = [
    ("libhdf5", RGBColor(200, 30, 30)),
    ("none", RGBColor(40, 90, 200)),
    ("unguarded", RGBColor(140, 180, 240)),
    ("power", RGBColor(20, 30, 90)),
    ("lazy", RGBColor(20, 150, 80)),
    ("incremental", RGBColor(230, 140, 0)),
    ("smart", RGBColor(130, 60, 170)),
];

/// What one figure shows: a column of the CSV against the number of members.
struct Figure {
    file: &'static str,
    title: &'static str,
    unit: &'static str,
    work: &'static str,
    column: &'static str,
    order: &'static str,
    measure: &'static str,
    scale: f64,
}

const FIGURES: [Figure; 6] = [
    figure(
        "attribute-create",
        "Creating attributes",
        "creates/s, flush included",
        "attributes",
        "create_per_s",
        "rates",
        1.0,
    ),
    figure(
        "attribute-delete",
        "Deleting half at random",
        "deletes/s, flush and close included",
        "attributes",
        "delete_per_s",
        "rates",
        1.0,
    ),
    figure("attribute-pause", "Worst single delete", "ms", "attributes", "worst_delete_s", "pauses", 1e3),
    figure("attribute-file", "File after deleting half", "MB", "attributes", "size_after", "rates", 1e-6),
    figure(
        "link-create",
        "Creating soft links",
        "creates/s, flush included",
        "soft-links",
        "create_per_s",
        "rates",
        1.0,
    ),
    figure(
        "link-delete",
        "Deleting half of the soft links at random",
        "deletes/s, flush and close included",
        "soft-links",
        "delete_per_s",
        "rates",
        1.0,
    ),
];

const fn figure(
    file: &'static str,
    title: &'static str,
    unit: &'static str,
    work: &'static str,
    column: &'static str,
    measure: &'static str,
    scale: f64,
) -> Figure {
    Figure { file, title, unit, work, column, order: "random", measure, scale }
}

type Row = BTreeMap<String, String>;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, results, folder] = arguments.as_slice() else {
        return Err("usage: compare-plot RESULTS.csv FOLDER".into());
    };
    let rows = read_csv(&std::fs::read_to_string(results)?);
    for figure in &FIGURES {
        let series: Vec<_> =
            BACKENDS.iter().map(|(name, color)| (*name, *color, medians(&rows, figure, name))).collect();
        if series.iter().any(|(_, _, points)| !points.is_empty()) {
            let path = Path::new(folder).join(format!("{}.svg", figure.file));
            draw(&SVGBackend::new(&path, (760, 480)).into_drawing_area(), figure, &series)?;
        }
    }
    Ok(())
}

fn read_csv(text: &str) -> Vec<Row> {
    let mut lines = text.lines();
    let names: Vec<&str> = lines.next().unwrap_or("").split(',').collect();
    let row = |line: &str| names.iter().zip(line.split(',')).map(|(n, v)| (n.to_string(), v.to_string())).collect();
    lines.map(row).collect()
}

/// (count, median), by count.
fn medians(rows: &[Row], figure: &Figure, backend: &str) -> Vec<(f64, f64)> {
    let mut values: BTreeMap<u64, Vec<f64>> = BTreeMap::new();
    let wanted = [("backend", backend), ("work", figure.work), ("order", figure.order), ("measure", figure.measure)];
    for row in rows.iter().filter(|row| wanted.iter().all(|(name, value)| row.get(*name).is_some_and(|v| v == value))) {
        let number = |name: &str| row.get(name).and_then(|text| text.parse::<f64>().ok());
        if let (Some(count), Some(value)) = (number("count"), number(figure.column)) {
            values.entry(count as u64).or_default().push(value * figure.scale);
        }
    }
    let median = |mut list: Vec<f64>| {
        list.sort_by(f64::total_cmp);
        let (low, high) = (list[(list.len() - 1) / 2], list[list.len() / 2]);
        (low + high) / 2.0
    };
    values.into_iter().map(|(count, list)| (count as f64, median(list))).filter(|(_, y)| *y > 0.0).collect()
}

fn draw<DB: DrawingBackend>(
    area: &DrawingArea<DB, Shift>,
    figure: &Figure,
    series: &[(&str, RGBColor, Vec<(f64, f64)>)],
) -> Result<(), Box<dyn Error>>
where
    DB::ErrorType: 'static,
{
    area.fill(&WHITE)?;
    let points: Vec<&(f64, f64)> = series.iter().flat_map(|(_, _, points)| points).collect();
    let span = |value: fn(&(f64, f64)) -> f64| {
        let (low, high) = points.iter().fold((f64::MAX, 0f64), |(l, h), p| (l.min(value(p)), h.max(value(p))));
        (low / 1.3)..(high * 1.3)
    };
    let mut chart = ChartBuilder::on(area)
        .caption(figure.title, ("sans-serif", 22))
        .margin(12)
        .x_label_area_size(45)
        .y_label_area_size(80)
        .build_cartesian_2d(span(|p| p.0).log_scale(), span(|p| p.1).log_scale())?;
    chart
        .configure_mesh()
        .light_line_style(WHITE)
        .x_desc("members")
        .y_desc(figure.unit)
        .x_label_formatter(&|v| grouped(*v))
        .y_label_formatter(&|v| grouped(*v))
        .label_style(("sans-serif", 14))
        .draw()?;
    for (name, color, line) in series.iter().filter(|(_, _, line)| !line.is_empty()) {
        let style = color.stroke_width(2);
        chart
            .draw_series(LineSeries::new(line.iter().copied(), style))?
            .label(if *name == "libhdf5" { "libhdf5 2.2.0".to_string() } else { format!("h5r, {name}") })
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], style));
        chart.draw_series(line.iter().map(|p| Circle::new(*p, 3, color.filled())))?;
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::LowerLeft)
        .background_style(WHITE.mix(0.8))
        .label_font(("sans-serif", 14))
        .draw()?;
    area.present()?;
    Ok(())
}

/// 1234567 as "1,234,567"; small numbers with their decimals.
fn grouped(value: f64) -> String {
    if value < 10.0 {
        return format!("{value}");
    }
    let digits = format!("{value:.0}");
    let groups: Vec<&str> = digits.as_bytes().rchunks(3).rev().filter_map(|g| std::str::from_utf8(g).ok()).collect();
    groups.join(",")
}
