//! From write outcomes to the next messages.
