"""The study of recurrent weights in cells, in SRAM and in DRAM: sides, measures, the figure."""
