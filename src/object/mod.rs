//! Files, groups, links, datasets and attributes, built from headers, trees and heaps.

pub mod header;
