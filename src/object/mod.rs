//! Files, groups, links, datasets and attributes, built from headers, trees and heaps.

pub mod dataset;
pub mod header;
pub mod options;
