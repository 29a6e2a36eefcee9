"""The public conformance kit that plugin authors inherit."""
