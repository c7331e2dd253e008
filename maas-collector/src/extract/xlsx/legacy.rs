//! `XLSXExtractor` of the Python system.
