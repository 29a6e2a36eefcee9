"""The plugins that ship with codesign: each module stands alone, as a third party's would."""
