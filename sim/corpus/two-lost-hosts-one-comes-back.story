# two hosts are failed over at once, the store refuses, one of them is back: its room was given away before its VMs were counted on it (seed 38)
blixard-sim 1
seed=38 hosts=5 vms=50 hours=1 faults=host,store,clock,disk,network,qemu,operator
22266 vm-pause 0 13 0 12376658422592043080   # 22.2 s: vm-pause vm-13, asked at h1
22901 vm-powers-off 2 37 0 7383027039774062932   # 22.9 s: vm-powers-off on h3
50313 vm-pause 0 28 0 12675527941982508996   # 50.3 s: vm-pause vm-28, asked at h1
52132 vm-label 0 20 0 7423458442527886459   # 52.1 s: vm-label vm-20, asked at h1
53745 vm-label-if 1 24 0 12820296329866312035   # 53.7 s: vm-label-if vm-24, asked at h2
54292 vm-resize 0 40 0 12599689897917261516   # 54.2 s: vm-resize vm-40, asked at h1
63034 vm-label-if 0 6 0 3091438173038994667   # 63.0 s: vm-label-if vm-6, asked at h1
70319 vm-stop 0 17 0 4822085132684238177   # 70.3 s: vm-stop vm-17, asked at h1
71366 vm-delete 1 48 0 9528978010739338599   # 71.3 s: vm-delete vm-48, asked at h2
88977 vm-label 1 21 0 17088300880758479784   # 88.9 s: vm-label vm-21, asked at h2
122899 upgrade 0 14 543 8717735520294934231   # 122.8 s: upgrade on h1 for 0.5 s
127458 vm-delete 4 25 0 16528514686682669299   # 127.4 s: vm-delete vm-25, asked at h5
128450 client-trouble 4 15 53461 8826204229763862924   # 128.4 s: client-trouble on h5 for 53.4 s
128600 vm-hangs 4 22 0 15078010876771315539   # 128.6 s: vm-hangs on h5
130115 vm-powers-off 0 33 0 5289489085986559233   # 130.1 s: vm-powers-off on h1
130936 host-crash 4 28 65359 3438613168723729205   # 130.9 s: host-crash on h5 for 65.3 s
131447 vm-disks 4 25 0 8770764846445199538   # 131.4 s: vm-disks vm-25, asked at h5
132038 daemon-kill 4 4 4407 12331178103205078430   # 132.0 s: daemon-kill on h5 for 4.4 s
132971 slow-link 4 25 1703 1692869886438155363   # 132.9 s: slow-link on h5 for 1.7 s
133004 vm-delete 4 43 0 3796423038379840324   # 133.0 s: vm-delete vm-43, asked at h5
133033 vm-create 4 25 0 7544538883643432082   # 133.0 s: vm-create vm-25, asked at h5
133708 vm-start 0 25 0 2271684992362938806   # 133.7 s: vm-start vm-25, asked at h1
147133 vm-delete 2 26 0 18063184217025017121   # 147.1 s: vm-delete vm-26, asked at h3
156589 doubled 3 14 50229 12558875382828585278   # 156.5 s: doubled on h4 for 50.2 s
160726 store-trouble 3 4 1449 9862651105064238427   # 160.7 s: store-trouble on h4 for 1.4 s
162393 vm-resume 3 26 0 12101541860732987606   # 162.3 s: vm-resume vm-26, asked at h4
162940 vm-hangs 0 12 0 12497051901094634235   # 162.9 s: vm-hangs on h1
163235 vm-label-if 3 4 0 6816499946181465240   # 163.2 s: vm-label-if vm-4, asked at h4
163346 vm-read 4 18 0 8125854369178350793   # 163.3 s: vm-read vm-18, asked at h5
163466 project-create 3 4 0 16938563851213200890   # 163.4 s: project-create, asked at h4
163908 vm-resize 3 4 0 3294880967392407356   # 163.9 s: vm-resize vm-4, asked at h4
163951 vm-start 3 4 0 15120029022121669072   # 163.9 s: vm-start vm-4, asked at h4
165289 cut-requests 3 13 2867 4339333580136723324   # 165.2 s: cut-requests on h4 for 2.8 s
166243 vm-restart 3 4 0 10276463039198778663   # 166.2 s: vm-restart vm-4, asked at h4
166445 rebalance 3 34 0 10911426525995936009   # 166.4 s: rebalance, asked at h4
166688 vm-read 3 16 0 3217134288860148949   # 166.6 s: vm-read vm-16, asked at h4
172692 vm-label-if 0 34 0 13110389368705618862   # 172.6 s: vm-label-if vm-34, asked at h1
174661 slow-watch 4 24 1500 7876391500047804233   # 174.6 s: slow-watch on h5 for 1.5 s
177117 compact 2 49 7598 8413269212300193446   # 177.1 s: compact on h3 for 7.5 s
195402 vm-dies 0 28 0 17289975766469691975   # 195.4 s: vm-dies on h1
199077 vm-dies 3 4 0 7874396245620750987   # 199.0 s: vm-dies on h4
216244 vm-label-if 0 47 0 12017459116786336822   # 216.2 s: vm-label-if vm-47, asked at h1
221186 store-trouble 1 25 8796 7587813636505844053   # 221.1 s: store-trouble on h2 for 8.7 s
223538 vm-create 1 29 0 4733794372194329803   # 223.5 s: vm-create vm-29, asked at h2
226757 vm-powers-off 2 13 0 13476738507221232622   # 226.7 s: vm-powers-off on h3
230424 vm-label 0 38 0 17310633581647906333   # 230.4 s: vm-label vm-38, asked at h1
248854 vm-disks 2 22 0 14510895494189933655   # 248.8 s: vm-disks vm-22, asked at h3
255351 vm-create 4 34 0 11664686054695309912   # 255.3 s: vm-create vm-34, asked at h5
260975 node-uncordon 0 37 0 9279314990752498651   # 260.9 s: node-uncordon (host number 38), asked at h1
263209 vm-disks 4 48 0 308242174358539953   # 263.2 s: vm-disks vm-48, asked at h5
263709 vm-start 0 22 0 7303681798612179959   # 263.7 s: vm-start vm-22, asked at h1
263968 vm-read 4 22 0 5250547868487819176   # 263.9 s: vm-read vm-22, asked at h5
264379 vm-disks 4 47 0 14304088567862139334   # 264.3 s: vm-disks vm-47, asked at h5
264629 vm-label 0 22 0 1215827149877911864   # 264.6 s: vm-label vm-22, asked at h1
264977 node-uncordon 1 22 0 8122898150441432660   # 264.9 s: node-uncordon (host number 23), asked at h2
265301 vm-disks 4 48 0 11007229986565328343   # 265.3 s: vm-disks vm-48, asked at h5
265744 vm-read 4 22 0 12843142148982694320   # 265.7 s: vm-read vm-22, asked at h5
266092 vm-label-if 3 22 0 10202905281259836258   # 266.0 s: vm-label-if vm-22, asked at h4
266394 vm-read 4 22 0 12063265746735576453   # 266.3 s: vm-read vm-22, asked at h5
267161 node-change 0 22 0 3738144048244508852   # 267.1 s: node-change (host number 23), asked at h1
267388 vm-start 4 22 0 13331220690495058312   # 267.3 s: vm-start vm-22, asked at h5
267560 node-uncordon 4 22 0 17457063238754349302   # 267.5 s: node-uncordon (host number 23), asked at h5
267642 daemon-pause 4 22 5439 6689035376290673956   # 267.6 s: daemon-pause on h5 for 5.4 s
268104 vm-create 4 22 0 16451222149646755714   # 268.1 s: vm-create vm-22, asked at h5
268106 vm-stop 4 22 0 15810136016448617726   # 268.1 s: vm-stop vm-22, asked at h5
268175 vm-read 4 22 0 16495604920894079044   # 268.1 s: vm-read vm-22, asked at h5
268695 volume-create 4 41 0 670766487949903620   # 268.6 s: volume-create, asked at h5
268757 doubled 4 2 6180 657798700118350441   # 268.7 s: doubled on h5 for 6.1 s
278064 vm-start 4 41 0 3034780409394379685   # 278.0 s: vm-start vm-41, asked at h5
282804 vm-stop 3 24 0 8402245588470861452   # 282.8 s: vm-stop vm-24, asked at h4
303140 vm-read 1 36 0 15275397737455973184   # 303.1 s: vm-read vm-36, asked at h2
310680 vm-start 1 40 0 7695510194019519772   # 310.6 s: vm-start vm-40, asked at h2
321806 vm-disks 1 38 0 14110743505436220287   # 321.8 s: vm-disks vm-38, asked at h2
325530 store-trouble 4 2 7766 2771189390899824430   # 325.5 s: store-trouble on h5 for 7.7 s
328878 vm-label-if 0 2 0 16637245134441982285   # 328.8 s: vm-label-if vm-2, asked at h1
331679 volume-delete 4 22 0 16158822669458082888   # 331.6 s: volume-delete, asked at h5
338959 cut 4 46 6029 15650624296388038852   # 338.9 s: cut on h5 for 6.0 s
341346 slow-link 2 26 12062 1128086854570638400   # 341.3 s: slow-link on h3 for 12.0 s
341687 vm-label 2 13 0 16287959369164319367   # 341.6 s: vm-label vm-13, asked at h3
342607 vm-delete 2 38 0 14123604577615549632   # 342.6 s: vm-delete vm-38, asked at h3
343536 vm-read 3 0 0 14777617211976598388   # 343.5 s: vm-read vm-0, asked at h4
343672 vm-start 2 0 0 12872044629242959362   # 343.6 s: vm-start vm-0, asked at h3
343916 vm-disks 2 43 0 14938948033354581759   # 343.9 s: vm-disks vm-43, asked at h3
344863 project-create 2 0 0 694106395760417732   # 344.8 s: project-create, asked at h3
345047 vm-label-if 2 0 0 14797845621640184023   # 345.0 s: vm-label-if vm-0, asked at h3
354359 vm-read 4 26 0 638679751435541530   # 354.3 s: vm-read vm-26, asked at h5
360801 vm-delete 1 45 0 8894941681332011991   # 360.8 s: vm-delete vm-45, asked at h2
376440 vm-create 1 26 0 11913766654384548033   # 376.4 s: vm-create vm-26, asked at h2
407120 vm-start 1 23 0 6508305898116964781   # 407.1 s: vm-start vm-23, asked at h2
413113 vm-hangs 1 34 0 6298705823199670005   # 413.1 s: vm-hangs on h2
446147 vm-stop 4 45 0 12851267327683179905   # 446.1 s: vm-stop vm-45, asked at h5
447966 vm-disks 3 4 0 14761402451227389730   # 447.9 s: vm-disks vm-4, asked at h4
461693 vm-pause 1 36 0 999339178225608265   # 461.6 s: vm-pause vm-36, asked at h2
462921 image-create 0 37 0 14357659708600019565   # 462.9 s: image-create, asked at h1
466661 vm-resume 1 5 0 1766937337811363110   # 466.6 s: vm-resume vm-5, asked at h2
466897 cut-replies 1 28 457 18179162970871715993   # 466.8 s: cut-replies on h2 for 0.4 s
469050 store-trouble 1 28 2177 17198410550382307717   # 469.0 s: store-trouble on h2 for 2.1 s
469699 store-trouble 1 21 3569 2367648807941190075   # 469.6 s: store-trouble on h2 for 3.5 s
470260 vm-create 1 23 0 7579919284161479085   # 470.2 s: vm-create vm-23, asked at h2
470695 vm-pause 3 28 0 1547142296654367212   # 470.6 s: vm-pause vm-28, asked at h4
470760 cut-requests 1 28 342 13371003536045480288   # 470.7 s: cut-requests on h2 for 0.3 s
471135 vm-resize 1 1 0 8380404162588115445   # 471.1 s: vm-resize vm-1, asked at h2
479495 vm-delete 0 48 0 4939967030416339054   # 479.4 s: vm-delete vm-48, asked at h1
487408 vm-read 3 35 0 17010773053000983573   # 487.4 s: vm-read vm-35, asked at h4
495615 vm-resize 0 10 0 13881714780599495188   # 495.6 s: vm-resize vm-10, asked at h1
528915 vm-read 1 39 0 250737798381054257   # 528.9 s: vm-read vm-39, asked at h2
555063 vm-label 1 12 0 9231740081879426551   # 555.0 s: vm-label vm-12, asked at h2
560126 vm-read 1 24 0 17565252391843757006   # 560.1 s: vm-read vm-24, asked at h2
562881 quota-change 1 0 0 16072733763367634813   # 562.8 s: quota-change, asked at h2
579437 daemon-pause 3 48 46477 6683088930976285331   # 579.4 s: daemon-pause on h4 for 46.4 s
584509 node-uncordon 1 33 0 4891568803042982628   # 584.5 s: node-uncordon (host number 34), asked at h2
603940 vm-label 3 27 0 9880336118344361488   # 603.9 s: vm-label vm-27, asked at h4
607439 vm-read 2 34 0 15289695047463581373   # 607.4 s: vm-read vm-34, asked at h3
615056 volume-create 1 45 0 11430357949141033229   # 615.0 s: volume-create, asked at h2
631432 store-trouble 3 40 9681 7159682344637852835   # 631.4 s: store-trouble on h4 for 9.6 s
640501 vm-disks 3 49 0 13450647995896256554   # 640.5 s: vm-disks vm-49, asked at h4
644843 vm-label 0 32 0 4864241378986424128   # 644.8 s: vm-label vm-32, asked at h1
645283 vm-read 4 48 0 4090701478089339694   # 645.2 s: vm-read vm-48, asked at h5
646276 volume-delete 0 25 0 10568783269109048760   # 646.2 s: volume-delete, asked at h1
662700 vm-resize 1 17 0 6655340951116270313   # 662.7 s: vm-resize vm-17, asked at h2
674792 vm-stop 1 5 0 6546307468758841256   # 674.7 s: vm-stop vm-5, asked at h2
685846 volume-create 0 42 0 7411898992529912499   # 685.8 s: volume-create, asked at h1
701284 host-crash 3 11 9528 15867382063528766011   # 701.2 s: host-crash on h4 for 9.5 s
721949 vm-resume 2 30 0 672703842981859744   # 721.9 s: vm-resume vm-30, asked at h3
723498 vm-pause 0 9 0 436755797183708167   # 723.4 s: vm-pause vm-9, asked at h1
731586 vm-resize 2 29 0 14339097320175277270   # 731.5 s: vm-resize vm-29, asked at h3
736748 vm-start 4 40 0 4200416996168712053   # 736.7 s: vm-start vm-40, asked at h5
745651 vm-create 1 20 0 11460131843191991340   # 745.6 s: vm-create vm-20, asked at h2
746529 vm-label 1 10 0 5865262521898312780   # 746.5 s: vm-label vm-10, asked at h2
746687 vm-create 2 10 0 2720839378426319601   # 746.6 s: vm-create vm-10, asked at h3
748798 watchdog-pause 0 10 247 4301587589182665841   # 748.7 s: watchdog-pause on h1 for 0.2 s
749045 vm-read 3 48 0 10634739271286091977   # 749.0 s: vm-read vm-48, asked at h4
749189 vm-resume 1 42 0 17911167464679732082   # 749.1 s: vm-resume vm-42, asked at h2
749363 vm-label 1 10 0 2278710474175200116   # 749.3 s: vm-label vm-10, asked at h2
750342 vm-stop 3 10 0 16732373859472126249   # 750.3 s: vm-stop vm-10, asked at h4
750862 vm-restart 1 27 0 946933431703397340   # 750.8 s: vm-restart vm-27, asked at h2
750920 vm-stop 0 10 0 5124387329496352605   # 750.9 s: vm-stop vm-10, asked at h1
751241 store-trouble 1 10 3080 4710874223309842392   # 751.2 s: store-trouble on h2 for 3.0 s
751551 vm-start 4 10 0 18316665926710492747   # 751.5 s: vm-start vm-10, asked at h5
751566 vm-label-if 1 10 0 946751750549873717   # 751.5 s: vm-label-if vm-10, asked at h2
752540 vm-stop 1 24 0 16437681509048393153   # 752.5 s: vm-stop vm-24, asked at h2
784315 daemon-pause 4 11 2686 3262217708696172353   # 784.3 s: daemon-pause on h5 for 2.6 s
797606 vm-restart 0 49 0 1658496201875987709   # 797.6 s: vm-restart vm-49, asked at h1
803343 vm-restart 2 6 0 1338712059091079367   # 803.3 s: vm-restart vm-6, asked at h3
803525 torn-crash 1 38 21820 14561245167589007832   # 803.5 s: torn-crash on h2 for 21.8 s
809040 watchdog-pause 3 44 59 863644593161001374   # 809.0 s: watchdog-pause on h4 for 0.0 s
828530 cut 1 46 19524 1625759838526767375   # 828.5 s: cut on h2 for 19.5 s
859097 vm-stop 1 14 0 8447232929174383197   # 859.0 s: vm-stop vm-14, asked at h2
861021 watchdog-kill 3 35 0 17147520815422742593   # 861.0 s: watchdog-kill on h4
872569 volume-create 2 29 0 3860697180129406241   # 872.5 s: volume-create, asked at h3
884017 vm-read 0 42 0 10105877096322897895   # 884.0 s: vm-read vm-42, asked at h1
893689 vm-stop 4 30 0 16635138504971079358   # 893.6 s: vm-stop vm-30, asked at h5
897762 vm-dies 3 40 0 826401046152890200   # 897.7 s: vm-dies on h4
898722 vm-read 3 12 0 5704493106995293243   # 898.7 s: vm-read vm-12, asked at h4
924080 node-uncordon 3 11 0 7790773769186400058   # 924.0 s: node-uncordon (host number 12), asked at h4
930960 vm-resize 4 12 0 856572505230074605   # 930.9 s: vm-resize vm-12, asked at h5
948112 daemon-pause 4 4 10574 11913713515227453099   # 948.1 s: daemon-pause on h5 for 10.5 s
957686 cut-replies 2 48 5509 11442145573443797335   # 957.6 s: cut-replies on h3 for 5.5 s
957914 vm-delete 1 13 0 16980704911393963756   # 957.9 s: vm-delete vm-13, asked at h2
962559 slow-watch 0 31 5283 6573499394621534530   # 962.5 s: slow-watch on h1 for 5.2 s
975922 vm-start 1 41 0 3142926608984119261   # 975.9 s: vm-start vm-41, asked at h2
983155 vm-start 3 48 0 16180904006699104803   # 983.1 s: vm-start vm-48, asked at h4
985222 project-delete 0 22 0 7299185875538136768   # 985.2 s: project-delete, asked at h1
985817 vm-start 3 22 0 1282151761662036329   # 985.8 s: vm-start vm-22, asked at h4
986591 vm-disks 0 34 0 11532286476831627772   # 986.5 s: vm-disks vm-34, asked at h1
987371 store-leader 0 22 0 1074046465854169822   # 987.3 s: store-leader on h1
987379 vm-create 0 22 0 18123627507265062007   # 987.3 s: vm-create vm-22, asked at h1
988053 vm-create 3 22 0 6960918119369746005   # 988.0 s: vm-create vm-22, asked at h4
988334 vm-stop 0 11 0 7445913772509164166   # 988.3 s: vm-stop vm-11, asked at h1
988808 daemon-kill 0 22 12179 8082914840384438150   # 988.8 s: daemon-kill on h1 for 12.1 s
988874 vm-create 0 12 0 9814030724639307375   # 988.8 s: vm-create vm-12, asked at h1
989094 vm-read 0 22 0 16909828913600121250   # 989.0 s: vm-read vm-22, asked at h1
989409 vm-resume 3 13 0 17688937731419694821   # 989.4 s: vm-resume vm-13, asked at h4
989679 doubled 0 22 4316 11683883559248503473   # 989.6 s: doubled on h1 for 4.3 s
989699 vm-label 0 22 0 1566021198079150386   # 989.6 s: vm-label vm-22, asked at h1
989834 vm-create 0 37 0 17996052195833718124   # 989.8 s: vm-create vm-37, asked at h1
990347 client-trouble 0 22 7240 4014356994137086908   # 990.3 s: client-trouble on h1 for 7.2 s
990681 vm-label 4 22 0 11454883801783740039   # 990.6 s: vm-label vm-22, asked at h5
990732 vm-label-if 0 22 0 5498137767858384712   # 990.7 s: vm-label-if vm-22, asked at h1
990814 vm-label-if 0 22 0 1031094153459411608   # 990.8 s: vm-label-if vm-22, asked at h1
991762 slow-link 0 22 9563 11561873022933907855   # 991.7 s: slow-link on h1 for 9.5 s
1005973 vm-create 0 4 0 1227409907580734634   # 1005.9 s: vm-create vm-4, asked at h1
1020726 vm-create 1 43 0 5126437234159898858   # 1020.7 s: vm-create vm-43, asked at h2
1032531 vm-create 3 14 0 4997378223568555047   # 1032.5 s: vm-create vm-14, asked at h4
1041302 vm-read 1 46 0 2586383042947827026   # 1041.3 s: vm-read vm-46, asked at h2
1042518 volume-create 0 26 0 11559090598326764481   # 1042.5 s: volume-create, asked at h1
1055183 vm-create 3 47 0 11634576883559934239   # 1055.1 s: vm-create vm-47, asked at h4
1058860 vm-start 4 10 0 4166263228485330867   # 1058.8 s: vm-start vm-10, asked at h5
1064137 vm-resume 1 5 0 1916493772133303796   # 1064.1 s: vm-resume vm-5, asked at h2
1064155 vm-dies 1 1 0 8679320000231061083   # 1064.1 s: vm-dies on h2
1064591 daemon-pause 2 1 5313 2479602238232879195   # 1064.5 s: daemon-pause on h3 for 5.3 s
1065032 vm-create 1 1 0 1332743928926702223   # 1065.0 s: vm-create vm-1, asked at h2
1065077 daemon-kill 1 1 7585 14792825477695060486   # 1065.0 s: daemon-kill on h2 for 7.5 s
1065741 vm-dies 1 1 0 12521465656985010215   # 1065.7 s: vm-dies on h2
1066331 lease-lost 1 1 0 18362932183512118849   # 1066.3 s: lease-lost on h2
1067805 vm-hangs 1 1 0 6572968575465481608   # 1067.8 s: vm-hangs on h2
1068061 vm-read 1 1 0 7027840239536696726   # 1068.0 s: vm-read vm-1, asked at h2
1068121 vm-start 1 1 0 12459073490063172447   # 1068.1 s: vm-start vm-1, asked at h2
1068576 image-delete 1 1 0 8595179495793751996   # 1068.5 s: image-delete, asked at h2
1069269 vm-pause 1 20 0 5238103717085811108   # 1069.2 s: vm-pause vm-20, asked at h2
1069467 vm-resize 1 1 0 14433225237153757821   # 1069.4 s: vm-resize vm-1, asked at h2
1070043 daemon-pause 3 35 42013 10743506003516387228   # 1070.0 s: daemon-pause on h4 for 42.0 s
1070895 vm-read 1 17 0 9376112857771723460   # 1070.8 s: vm-read vm-17, asked at h2
