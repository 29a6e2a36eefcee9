"""Some of the runs, for those who do not have the files."""

from __future__ import annotations

OPERATORS = """\
model,accelerator,memory_mode,operator_name,npu_operator,\
op_cycles,dram_access_cycles,off_chip_flash_access_cycles
add_56x56x64,ethos-u55-256,Shared_Sram,t1,Add,150528,0,0
conv1x1_56x56x64_256,ethos-u55-256,Shared_Sram,t3,Conv2D,403756,0,141872
conv3x3_56x56x64_64,ethos-u55-32,Shared_Sram,t3,Conv2D,3617834,0,2101120
ds_cnn_like_49x10x1,ethos-u55-128,Shared_Sram,t3,Conv2D,8783,0,4112
ds_cnn_like_49x10x1,ethos-u55-128,Shared_Sram,t6,DepthwiseConv2D,8124,0,1280
ds_cnn_like_49x10x1,ethos-u55-128,Shared_Sram,t9,Conv2D,5944,0,1920
ds_cnn_like_49x10x1,ethos-u55-128,Shared_Sram,t12,DepthwiseConv2D,8124,0,1280
ds_cnn_like_49x10x1,ethos-u55-128,Shared_Sram,t15,Conv2D,5944,0,1920
ds_cnn_like_49x10x1,ethos-u55-128,Shared_Sram,t18,DepthwiseConv2D,8124,0,1280
ds_cnn_like_49x10x1,ethos-u55-128,Shared_Sram,t21,Conv2D,5944,0,1920
ds_cnn_like_49x10x1,ethos-u55-128,Shared_Sram,t24,DepthwiseConv2D,8124,0,1280
ds_cnn_like_49x10x1,ethos-u55-128,Shared_Sram,t27,Conv2D,6124,0,1920
dw3x3_56x56x128,ethos-u55-256,Sram_Only,t3,DepthwiseConv2D,236704,0,0
fc_1x1024_1024,ethos-u55-128,Shared_Sram,t3,FullyConnected,1058960,0,1058960
fc_64x512_512,ethos-u65-256,Dedicated_Sram,t3,FullyConnected,420808,420808,0
"""
SUMMARY = """\
model,accelerator_configuration,memory_mode,cycles_total,total_npu_encoded_weights
add_56x56x64,Ethos_U55_256,Shared_Sram,150528,0
conv1x1_56x56x64_256,Ethos_U55_256,Shared_Sram,403756,16432
conv3x3_56x56x64_64,Ethos_U55_32,Shared_Sram,3617834,36880
ds_cnn_like_49x10x1,Ethos_U55_128,Shared_Sram,65235,20112
dw3x3_56x56x128,Ethos_U55_256,Sram_Only,236704,1360
fc_1x1024_1024,Ethos_U55_128,Shared_Sram,1058960,1048720
fc_64x512_512,Ethos_U65_256,Dedicated_Sram,420808,262192
"""
