# a volume that stands alone was grown while a VM with it was being started (seed 36)
blixard-sim 1
seed=36 hosts=5 vms=10 hours=0.4141316666666667 faults=host,store,clock,disk,network,qemu,operator
608175 cut 4 33 6645 14958365907201139079   # 608.1 s: cut on h5 for 6.6 s
1429139 vm-stop 1 7 0 6277067315446803908   # 1429.1 s: vm-stop vm-7, asked at h2
1429978 slow-link 1 42 1712 15529568251661544086   # 1429.9 s: slow-link on h2 for 1.7 s
1430874 volume-change 1 19 0 9021408827802435178   # 1430.8 s: volume-change, asked at h2
