# a release from a host whose place another controller has already released: refused by the store, and no wrong (seed 708)
blixard-sim 1
seed=708 hosts=5 vms=50 hours=1 faults=host,store,clock,disk,network,qemu,operator
1288527 node-drain 0 36 0 9810155130963137762   # 1288.5 s: node-drain (host number 37), asked at h1
1339629 vm-label-if 4 23 0 9238352048112474324   # 1339.6 s: vm-label-if vm-23, asked at h5
1352351 upgrade 1 40 12199 17061498244789343311   # 1352.3 s: upgrade on h2 for 12.1 s
2620800 rebalance 2 29 0 8676250735714367276   # 2620.8 s: rebalance, asked at h3
2668117 lease-lost 0 6 0 1967502413954397512   # 2668.1 s: lease-lost on h1
2670973 vm-label 0 1 0 11714523049056490235   # 2670.9 s: vm-label vm-1, asked at h1
2736571 daemon-kill 1 2 4506 7311357672204789636   # 2736.5 s: daemon-kill on h2 for 4.5 s
3222002 daemon-pause 3 20 45427 564398222195136704   # 3222.0 s: daemon-pause on h4 for 45.4 s
3343395 vm-read 1 1 0 2478691802247155219   # 3343.3 s: vm-read vm-1, asked at h2
3344536 lease-lost 1 17 0 2694511583832397281   # 3344.5 s: lease-lost on h2
3346814 vm-read 4 36 0 4042945675876988509   # 3346.8 s: vm-read vm-36, asked at h5
3346907 slow-link 1 48 18276 11733563388179972431   # 3346.9 s: slow-link on h2 for 18.2 s
3347444 rebalance 3 21 0 13496359136425166025   # 3347.4 s: rebalance, asked at h4
3348200 cut-replies 1 43 5369 6580689209649552139   # 3348.2 s: cut-replies on h2 for 5.3 s
